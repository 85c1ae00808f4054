/**
 * Owns the fuzzing of PROXY protocol headers: how the bytes are cut means nothing, a fault stays one, and what is read can be written
 * and is read as the same again.
 */
import { strict as assert } from 'node:assert';
import { isIP } from 'node:net';
import { readProxyHeader } from '../../../src/protocol/read-proxy-header.js';
import { encodeProxyHeader } from '../../../src/protocol/write-proxy-header.js';
import type { FuzzTarget } from '../fuzz.js';
import { wordsFrom } from '../mutate.js';

const WORDS = [
  'PROXY ',
  'TCP4 ',
  'TCP6 ',
  'UNKNOWN',
  '192.0.2.7 ',
  '::1 ',
  '::ffff:192.0.2.7 ',
  '65535',
  '\r\n',
  '\r\n\r\n\0\r\nQUIT\n',
  '\x20\x00\0\0',
  '\x21\x11\0\x0c',
  '\x21\x21\0\x24',
  '\x21\x31\0\xd8',
  '\x03\0\x04\0\0\0\0',
];

async function run(input: Buffer): Promise<string> {
  const whole = readProxyHeader(input);
  const tried = Math.min(input.length, 600);
  for (let end = 0; end < tried; end += 1) {
    const part = readProxyHeader(input.subarray(0, end));
    if (part === undefined) continue;
    if ('fault' in part) assert.ok(whole !== undefined && 'fault' in whole, 'a fault went away');
    else assert.deepEqual(part, whole, `at ${end} bytes`);
  }
  if (whole === undefined) {
    assert.ok(input.length < 16 * 1024 + 16, 'it waits for ever');
    return 'more';
  }
  if ('fault' in whole) return whole.fault.slice(0, 16);
  const { version, endpoints, length } = whole;
  assert.ok(length <= input.length);
  if (endpoints === undefined) return `${version} unknown`;
  for (const { address, port } of Object.values(endpoints)) {
    assert.notEqual(isIP(address), 0, `${address} is no address`);
    assert.ok(port >= 0 && port <= 65_535);
  }
  const { source, destination } = endpoints;
  const written = encodeProxyHeader(`v${version}`, {
    sourceAddress: source.address,
    sourcePort: source.port,
    destinationAddress: destination.address,
    destinationPort: destination.port,
  });
  const again = readProxyHeader(written);
  assert.ok(again !== undefined && 'endpoints' in again);
  assert.deepEqual(again.endpoints, endpoints);
  return `${version} ${isIP(endpoints.source.address)}`;
}

export const proxyHeader: FuzzTarget = {
  name: 'proxy-header',
  modules: ['protocol/read-proxy-header', 'protocol/write-proxy-header', 'protocol/ip-address', 'protocol/crc32c'],
  mutators: [wordsFrom(WORDS)],
  run,
};
