/** Owns that a failed TLS handshake is explained in words, whatever the version of OpenSSL calls it. */
import { expect, it } from 'vitest';
import { describeTlsFailure } from '../../../src/server/tls/tls-failure.js';

const failure = (code: string, message = '') => describeTlsFailure(Object.assign(new Error(message), { code }));

it.each([
  'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
  'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE',
  'ERR_SSL_TLSV1_ALERT_HANDSHAKE_FAILURE',
])('%s', (code) => {
  expect(failure(code)).toBe(
    'the TLS handshake failed: the client found nothing to agree on (alert handshake failure)',
  );
});

it('one that is not known is told as OpenSSL says it, without the place in its source', () => {
  const message = '4057E9F1:error:0A000172:SSL routines:tls12_check:wrong signature type:../ssl/t1_lib.c:1572:\n';
  expect(failure('ERR_SSL_WRONG_SIGNATURE_TYPE', message)).toBe('the TLS handshake failed: wrong signature type');
});
