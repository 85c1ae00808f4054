/** Owns which targets a receiver may choose: the lists, what they default to, and that no way to write an address gets around them. */
import { describe, expect, it } from 'vitest';
import { carriedIPv4 } from '../../../src/protocol/ip-address.js';
import { isPublic, parseAddressRange } from '../../../src/server/dial/address-range.js';
import { parseTarget } from '../../../src/server/dial/target.js';
import { TargetGuard, type TargetLists } from '../../../src/server/dial/target-guard.js';
import { parseTargetRule } from '../../../src/server/dial/target-rule.js';

/** What becomes of a target whose name has this address. */
function verdict(lists: Partial<TargetLists>, text: string, address?: string): string {
  const guard = new TargetGuard({ deny: [], ...lists });
  const target = parseTarget(text);
  try {
    guard.checkTarget(target);
  } catch (error) {
    expect(error).toMatchObject({ code: 'TARGET_DENIED' });
    return 'denied';
  }
  return address !== undefined && guard.faultOf(target, address) !== undefined ? 'denied after DNS' : 'allowed';
}

/** Other ways to write 169.254.169.254, where clouds tell a machine its secrets. */
const METADATA = [
  '169.254.169.254',
  '169.254.169.254.',
  '0xa9.0xfe.0xa9.0xfe',
  '0xa9fea9fe',
  '2852039166',
  '0251.0376.0251.0376',
  '169.254.43518',
  '169.16689662',
  '１６９.254.169.254',
  '169。254。169。254',
  '[::ffff:169.254.169.254]',
  '[::ffff:a9fe:a9fe]',
  '[0:0:0:0:0:ffff:a9fe:a9fe]',
  '[::169.254.169.254]',
  '[64:ff9b::a9fe:a9fe]',
  '[64:ff9b:1::a9fe:a9fe]',
  '[2002:a9fe:a9fe::1]',
  '[::ffff:0:a9fe:a9fe]',
];

describe('without a list', () => {
  it.each([
    'tcp://10.0.0.5:5900',
    'tcp://127.0.0.1:5900',
    'ws://[::1]:80',
    'wss://app.example/x',
    'tls://192.168.1.1:1',
    'unix:/run/app.sock',
  ])('%s is allowed: receivers are code of the application', (text) => expect(verdict({}, text)).toBe('allowed'));

  it.each(METADATA)('%s is denied, as it is 169.254.169.254', (host) => {
    expect(verdict({}, `tcp://${host}:80`)).toBe('denied');
    expect(verdict({}, `wss://${host}/latest`)).toBe('denied');
  });

  it.each([
    '[fe80::1]',
    '[fe80::1%eth0]',
    '[febf::1]',
    '0.0.0.0',
    '0',
    '[::]',
    '0x0',
    '0.1.2.3',
    '224.0.0.1',
    '255.255.255.255',
    '[ff02::1]',
    '[fd00:ec2::254]',
    '100.100.100.200',
  ])('%s is denied: nobody is meant to be reached there', (host) =>
    expect(verdict({}, `tcp://${host}:80`)).toBe('denied'),
  );

  it.each(['169.254.169.254', 'fe80::1%2', '::ffff:169.254.169.254', '0.0.0.0', '64:ff9b::a9fe:a9fe'])(
    'a name that turns out to be %s is denied after DNS',
    (address) => expect(verdict({}, 'ws://metadata.google.internal', address)).toBe('denied after DNS'),
  );

  it('a list that names such an address allows it', () => {
    expect(verdict({ allow: ['169.254.169.254:80'] }, 'tcp://0xa9fea9fe:80')).toBe('allowed');
    expect(verdict({ allow: ['@link-local'] }, 'tcp://[fe80::1%eth0]:80')).toBe('allowed');
    expect(verdict({ allow: ['169.254.169.254:80'] }, 'tcp://169.254.169.254:81')).toBe('denied');
  });

  it('what is denied by name, address, port or file is denied', () => {
    const deny = ['*.internal', '@loopback', 'tcp://*:22', '10.0.0.0/8:1-1023', 'unix:/run/secrets/'];
    expect(verdict({ deny }, 'ws://db.internal')).toBe('denied');
    expect(verdict({ deny }, 'ws://DB.Internal.')).toBe('denied');
    expect(verdict({ deny }, 'ws://internal', '8.8.8.8')).toBe('allowed');
    expect(verdict({ deny }, 'ws://2130706433')).toBe('denied');
    expect(verdict({ deny }, 'ws://localhost', '127.0.0.1')).toBe('denied after DNS');
    expect(verdict({ deny }, 'tcp://a.example:22')).toBe('denied');
    expect(verdict({ deny }, 'tls://a.example:22', '8.8.8.8')).toBe('allowed');
    expect(verdict({ deny }, 'tcp://a.example:80', '10.1.1.1')).toBe('denied after DNS');
    expect(verdict({ deny }, 'tcp://a.example:8080', '10.1.1.1')).toBe('allowed');
    expect(verdict({ deny }, 'unix:/run/secrets/a.sock')).toBe('denied');
    expect(verdict({ deny }, 'unix:/run/x/../secrets/a.sock')).toBe('denied');
    expect(verdict({ deny }, 'unix:/run/app.sock')).toBe('allowed');
  });
});

describe('a list', () => {
  it('of a name allows that name on every port, wherever it leads but where nobody is to be led', () => {
    const allow = ['db.example'];
    expect(verdict({ allow }, 'tcp://db.example:5432', '10.0.0.5')).toBe('allowed');
    expect(verdict({ allow }, 'tcp://DB.EXAMPLE.:1', '127.0.0.1')).toBe('allowed');
    expect(verdict({ allow }, 'tcp://db.example:5432', '169.254.169.254')).toBe('denied after DNS');
    expect(verdict({ allow }, 'tcp://sub.db.example:5432')).toBe('denied');
    expect(verdict({ allow }, 'tcp://db.example.evil.example:5432')).toBe('denied');
    expect(verdict({ allow }, 'tcp://xdb.example:5432')).toBe('denied');
    expect(verdict({ allow }, 'tcp://10.0.0.5:5432')).toBe('denied');
    expect(verdict({ allow }, 'unix:/run/app.sock')).toBe('denied');
  });

  it('of a wildcard allows names below it, at public addresses only (DNS rebinding)', () => {
    const allow = ['wss://*.example.org:443'];
    expect(verdict({ allow }, 'wss://a.b.example.org', '93.184.216.34')).toBe('allowed');
    expect(verdict({ allow }, 'wss://example.org')).toBe('denied');
    expect(verdict({ allow }, 'wss://evil-example.org')).toBe('denied');
    expect(verdict({ allow }, 'ws://a.example.org')).toBe('denied');
    expect(verdict({ allow }, 'wss://a.example.org:8443')).toBe('denied');
    for (const address of [
      '127.0.0.1',
      '10.0.0.1',
      '::1',
      'fd00::1',
      '100.64.0.1',
      '::ffff:10.0.0.1',
      '2002:a00:1::',
      '64:ff9b::7f00:1',
    ]) {
      expect(verdict({ allow }, 'wss://a.example.org', address)).toBe('denied after DNS');
    }
    expect(verdict({ allow: [...allow, '10.0.0.0/8'] }, 'wss://a.example.org', '10.0.0.1')).toBe('allowed');
  });

  it('of everything allows everything that is public', () => {
    const allow = ['tcp://*:5900-5999'];
    expect(verdict({ allow }, 'tcp://8.8.8.8:5900')).toBe('allowed');
    expect(verdict({ allow }, 'tcp://[2606:4700::1]:5999')).toBe('allowed');
    expect(verdict({ allow }, 'tcp://8.8.8.8:6000')).toBe('denied');
    for (const host of [
      '10.0.0.1',
      '127.1',
      '0x7f.1',
      '2130706433',
      '[::ffff:127.0.0.1]',
      '[::1]',
      '[fc00::1]',
      '192.168.0.1',
      '198.18.0.1',
      '[::7f00:1]',
    ]) {
      expect(verdict({ allow }, `tcp://${host}:5900`)).toBe('denied');
    }
    expect(verdict({ allow }, 'tcp://localhost:5900', '127.0.0.1')).toBe('denied after DNS');
  });

  it('of addresses allows the addresses, and names that lead there', () => {
    const allow = ['tcp://10.0.0.0/8:5900', '[fd00:1::]:22', '@loopback:80'];
    expect(verdict({ allow }, 'tcp://10.255.0.1:5900')).toBe('allowed');
    expect(verdict({ allow }, 'tcp://[::ffff:10.0.0.1]:5900')).toBe('allowed');
    expect(verdict({ allow }, 'tcp://11.0.0.1:5900')).toBe('denied');
    expect(verdict({ allow }, 'tcp://desk.example:5900', '10.0.0.9')).toBe('allowed');
    expect(verdict({ allow }, 'tcp://desk.example:5900', '8.8.8.8')).toBe('denied after DNS');
    expect(verdict({ allow }, 'tcp://desk.example:5901')).toBe('denied');
    expect(verdict({ allow }, 'tcp://[fd00:1::]:22')).toBe('allowed');
    expect(verdict({ allow }, 'tcp://[fd00:1::1]:22')).toBe('denied');
    expect(verdict({ allow }, 'ws://127.9.9.9')).toBe('allowed');
    expect(verdict({ allow: ['::/0'] }, 'tcp://127.0.0.1:1')).toBe('denied');
    expect(verdict({ allow: ['::ffff:10.0.0.0/104'] }, 'tcp://10.1.1.1:1')).toBe('allowed');
  });

  it('of socket files allows one, or all in a folder, by their shortest paths', () => {
    const allow = ['unix:/run/app.sock', 'unix:/run/apps/'];
    expect(verdict({ allow }, 'unix:/run/app.sock')).toBe('allowed');
    expect(verdict({ allow }, 'unix:///run/apps/a.sock')).toBe('allowed');
    for (const path of [
      '/run/app.sock2',
      '/run/apps',
      '/run/apps/../docker.sock',
      '/run/apps/./a.sock',
      '/run//apps/a.sock',
      '/var/run/docker.sock',
    ]) {
      expect(verdict({ allow }, `unix:${path}`)).toBe('denied');
    }
  });

  it('of a name in another script is that of its encoded form', () => {
    expect(verdict({ allow: ['*.bücher.example'] }, 'wss://a.xn--bcher-kva.example', '8.8.8.8')).toBe('allowed');
    expect(verdict({ allow: ['bücher.example'] }, 'wss://BÜCHER.example', '8.8.8.8')).toBe('allowed');
    // Cyrillic а.
    expect(verdict({ allow: ['a.example'] }, 'wss://\u0430.example')).toBe('denied');
  });

  it('that is empty allows nothing', () => expect(verdict({ allow: [] }, 'tcp://8.8.8.8:1')).toBe('denied'));

  it('allows a name that somebody else resolves only if the name is in it', () => {
    const checked = (lists: Partial<TargetLists>, text: string): unknown => {
      try {
        return new TargetGuard({ deny: [], ...lists }).checkUnresolved(parseTarget(text));
      } catch (error) {
        return error;
      }
    };
    expect(checked({}, 'tcp://a.example:1')).toMatchObject({
      code: 'TARGET_DENIED',
      message: expect.stringContaining('dialThrough'),
    });
    expect(checked({ allow: ['10.0.0.0/8'] }, 'tcp://a.example:1')).toMatchObject({ code: 'TARGET_DENIED' });
    expect(checked({ allow: ['*.example'] }, 'tcp://a.example:1')).toBeUndefined();
    expect(checked({}, 'tcp://8.8.8.8:1')).toBeUndefined();
  });
});

describe('rules and ranges', () => {
  it.each([
    '',
    '*.',
    'a b',
    'http://a.example',
    'a.example:0',
    'a.example:70000',
    'a.example:2-1',
    'a.example:x',
    '10.0.0.0/33',
    '[fd00::/129]',
    '[fe80::1%eth0]',
    '[fd00::',
    '*.10.0.0.1',
    'a.*.example',
    '@nobody',
    '@all',
    '10.0.0.5/8',
    '::/129',
    'unix:relative',
    'unix:/a/../b',
    'a@b',
    'tcp://a.example/path',
  ])('%j is no rule', (text) => expect(parseTargetRule(text)).toBeUndefined());

  it('know the IPv4 address that an IPv6 address carries', () => {
    expect(carriedIPv4('::ffff:1.2.3.4')).toBe('1.2.3.4');
    expect(carriedIPv4('2002:102:304::1')).toBe('1.2.3.4');
    expect(carriedIPv4('64:ff9b::102:304')).toBe('1.2.3.4');
    expect(carriedIPv4('::1')).toBeUndefined();
    expect(carriedIPv4('2001:db8::1')).toBeUndefined();
    expect([isPublic('1.1.1.1'), isPublic('::1'), isPublic('::'), isPublic('2606:4700::1111')]).toEqual([
      true,
      false,
      false,
      true,
    ]);
    // The words of lists of addresses are names of hosts here.
    for (const word of ['all', 'none', 'loopback', 'private', 'link-local', '', '@'])
      expect(parseAddressRange(word)).toBeUndefined();
    expect(parseTargetRule('private')?.range).toBeUndefined();
    expect(parseAddressRange('2002:a00::/24')?.has('10.0.0.1')).toBe(false);
  });
});
