/**
 * Owns the client's side of SOCKS 5: the choice of a method, user name and password, and CONNECT (RFC 1928, RFC 1929). Refuses
 * other methods and commands, and to resolve names: a name goes to the proxy as it is.
 */
import { Buffer } from 'node:buffer';
import { ipAddressBytes } from './ip-address.js';
import type { TunnelHandshake, TunnelOrder, TunnelStep } from './tunnel-handshake.js';

const VERSION = 5;
const AUTHENTICATION_VERSION = 1;
const CONNECT = 1;
const NO_AUTHENTICATION = 0;
const USERNAME_PASSWORD = 2;
const NO_METHOD = 0xff;
const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;

/** RFC 1928 section 6. */
const REPLIES: Readonly<Record<number, string>> = {
  1: 'general failure',
  2: 'not allowed by its rules',
  3: 'network unreachable',
  4: 'host unreachable',
  5: 'connection refused',
  6: 'TTL expired',
  7: 'command not supported',
  8: 'address type not supported',
};

/** The longest name, user name or password: its length is one byte. */
export const MAX_SOCKS_TEXT = 255;

/** One CONNECT through one SOCKS 5 proxy. */
export class Socks5Handshake implements TunnelHandshake {
  readonly #order: TunnelOrder;
  #held = Buffer.alloc(0);
  #read: () => TunnelStep | undefined = () => this.#readMethod();

  constructor(order: TunnelOrder) {
    this.#order = order;
  }

  begin(): Buffer {
    const methods =
      this.#order.credentials === undefined ? [NO_AUTHENTICATION] : [NO_AUTHENTICATION, USERNAME_PASSWORD];
    return Buffer.from([VERSION, methods.length, ...methods]);
  }

  take(bytes: Buffer): TunnelStep {
    this.#held = Buffer.concat([this.#held, bytes]);
    const step = this.#read() ?? { kind: 'more' };
    // Each answer belongs to what was sent before it; one that comes earlier belongs to nothing.
    if (step.kind === 'more' && step.send !== undefined && this.#held.length > 0)
      return failed('it answered before it was asked');
    return step;
  }

  #readMethod(): TunnelStep | undefined {
    const [version, method] = this.#held;
    if (version !== undefined && version !== VERSION)
      return failed(`it does not speak SOCKS 5, it began with ${hex(version)}`);
    if (method === undefined) return undefined;
    this.#held = this.#held.subarray(2);
    const { credentials } = this.#order;
    if (method === NO_METHOD) {
      return failed(credentials === undefined ? 'it wants us to authenticate' : 'it takes no user name and password');
    }
    if (method === NO_AUTHENTICATION) return this.#request();
    if (method !== USERNAME_PASSWORD || credentials === undefined)
      return failed(`it chose the method ${hex(method)}, which was not offered`);
    const username = Buffer.from(credentials.username);
    const password = Buffer.from(credentials.password);
    this.#read = () => this.#readAuthentication();
    const send = [[AUTHENTICATION_VERSION, username.length], username, [password.length], password].map((part) =>
      Buffer.from(part),
    );
    return { kind: 'more', send: Buffer.concat(send) };
  }

  #readAuthentication(): TunnelStep | undefined {
    const [version, status] = this.#held;
    if (version !== undefined && version !== AUTHENTICATION_VERSION)
      return failed(`its answer to the password begins with ${hex(version)}`);
    if (status === undefined) return undefined;
    this.#held = this.#held.subarray(2);
    return status === 0 ? this.#request() : failed('it did not take the user name and password');
  }

  #request(): TunnelStep {
    const { host, port } = this.#order;
    const address = ipAddressBytes(host);
    const name = Buffer.from(host, 'latin1');
    if (address === undefined && name.length > MAX_SOCKS_TEXT)
      return failed('the name of the target is too long for SOCKS');
    const where =
      address === undefined ? [NAME, name.length, ...name] : [address.length === 4 ? IPV4 : IPV6, ...address];
    this.#read = () => this.#readReply();
    return { kind: 'more', send: Buffer.from([VERSION, CONNECT, 0, ...where, port >> 8, port & 0xff]) };
  }

  #readReply(): TunnelStep | undefined {
    const [version, reply, reserved, type, nameLength] = this.#held;
    if (version !== undefined && version !== VERSION) return failed(`its reply begins with ${hex(version)}`);
    if (reply === undefined) return undefined;
    // Some proxies send no more than this when they refuse.
    if (reply !== 0) return failed(REPLIES[reply] ?? `it answered with the unknown reply ${hex(reply)}`);
    if (reserved === undefined || type === undefined) return undefined;
    if (type !== IPV4 && type !== IPV6 && type !== NAME) return failed(`its reply has the address type ${hex(type)}`);
    if (type === NAME && nameLength === undefined) return undefined;
    const length = type === IPV4 ? 4 : type === IPV6 ? 16 : 1 + nameLength!;
    const end = 4 + length + 2;
    return this.#held.length < end ? undefined : { kind: 'open', rest: this.#held.subarray(end) };
  }
}

function failed(reason: string): TunnelStep {
  return { kind: 'failed', reason };
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`;
}
