/** Owns which certificate belongs to the name a client asks for. */
import { describe, expect, it } from 'vitest';
import { certificateNames, isServerName, NameTable } from '../../../src/server/tls/name-table.js';
import { TestAuthority } from '../../support/authority.js';
import { localhostCertificate } from '../../support/tls.js';

function table(...names: string[]): NameTable<string> {
  const made = new NameTable<string>();
  for (const name of names) made.add(name, name);
  return made;
}

describe('a name that is asked for', () => {
  const names = table('*.example.org', 'exact.example.org', 'example.org', '*.deep.example.org', 'GRÜN.example');

  it.each([
    ['exact.example.org', 'exact.example.org'],
    ['other.example.org', '*.example.org'],
    ['OTHER.Example.ORG', '*.example.org'],
    ['example.org', 'example.org'],
    ['example.org.', 'example.org'],
    ['a.deep.example.org', '*.deep.example.org'],
    ['deep.example.org', '*.example.org'],
    ['xn--grn-ioa.example', 'GRÜN.example'],
    ['a.b.example.org', undefined],
    ['org', undefined],
    ['.example.org', undefined],
    ['', undefined],
    ['*.example.org', '*.example.org'],
    ['__proto__', undefined],
  ])('%s is that of %s', (asked, found) => expect(names.find(asked)).toBe(found));

  it('belongs to who was added first', () => {
    const both = new NameTable<number>();
    both.add('a.example', 1);
    both.add('A.example', 2);
    expect(both.find('a.example')).toBe(1);
  });
});

describe('the names in a certificate', () => {
  const authority = new TestAuthority();
  const namesOf = (names: string[], name = 'Common Name') => certificateNames(authority.issue({ name, names }).x509);

  it('are those for DNS, and no others', () => {
    expect(namesOf(['a.example', '*.B.example', '127.0.0.1', 'URI:spiffe://x/y', 'email:a@b.example'])).toEqual([
      'a.example',
      '*.b.example',
    ]);
    expect(namesOf([], 'only.example')).toEqual(['only.example']);
    expect(namesOf(['127.0.0.1'], '127.0.0.1')).toEqual([]);
    expect(namesOf([], 'No host at all')).toEqual([]);
  });

  it('leave out what is no name of a host', () => {
    expect(namesOf(['*', 'a.*.example', 'a b', '', 'fine.example'])).toEqual(['fine.example']);
    expect(certificateNames({ subject: 'CN=x', subjectAltName: 'DNS:"evil, DNS:bank.example"' })).not.toContain(
      'bank.example',
    );
  });

  it('are those of the test certificate', () => {
    expect(localhostCertificate.cert).toContain('BEGIN');
    expect(['example.org', '*.example.org', 'a_b.example', 'localhost'].every(isServerName)).toBe(true);
    expect(['*', '*.', 'a..b', 'a/b', 'a:1', '-a.example', ''].some(isServerName)).toBe(false);
  });
});
