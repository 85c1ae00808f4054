/**
 * Owns what of an opening handshake is blotted out before it is written to a file: everything that is known to hold secrets, and what
 * else somebody asks for. Refuses to look at messages.
 */
import { BLOT } from './format.js';

/** Header fields whose values are secrets. */
const SECRET_HEADERS = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'www-authenticate',
  'proxy-authenticate',
  'authentication-info',
  'x-api-key',
  'api-key',
  'x-auth-token',
  'x-csrf-token',
  'x-xsrf-token',
  'x-amz-security-token',
  'x-forwarded-client-cert',
];

/** Parameters whose names say that their values are secrets. */
const SECRET_PARAMETER =
  /token|secret|passw|pwd|auth|api_?-?key|^key$|credential|session|^sid$|sig(nature)?$|jwt|bearer|^code$|^ticket$|nonce|otp/i;

/** Subprotocols that are none of a client's making; every other name could be a token, as browsers send them so. */
const KNOWN_SUBPROTOCOLS: ReadonlySet<string> = new Set([
  'binary',
  'base64',
  'chat',
  'superchat',
  'mqtt',
  'mqttv3.1',
  'soap',
  'wamp',
  'wamp.2.json',
  'wamp.2.msgpack',
  'v10.stomp',
  'v11.stomp',
  'v12.stomp',
  'stomp',
  'graphql-ws',
  'graphql-transport-ws',
  'ocpp1.6',
  'ocpp2.0',
  'ocpp2.0.1',
  'ocpp2.1',
  'xmpp',
  'sip',
  'msrp',
  'amqp',
  'jsonrpc',
  'json',
  'vnc',
  'rfb',
  'echo',
  'vite-hmr',
  'actioncable-v1-json',
  'bearer',
  'access_token',
]);

/** What is blotted out beside what always is. */
export interface HandshakeRedactionOptions {
  readonly headers: readonly string[];
  readonly query: readonly string[];
  /** Subprotocols that the server knows. */
  readonly subprotocols: readonly string[];
  /** Applied to every text that is left. */
  blot(text: string): string;
}

/** Blots out of opening handshakes what is secret. */
export class HandshakeRedaction {
  readonly #headers: ReadonlySet<string>;
  readonly #query: ReadonlySet<string>;
  readonly #subprotocols: ReadonlySet<string>;
  readonly #blot: (text: string) => string;

  constructor({ headers, query, subprotocols, blot }: HandshakeRedactionOptions) {
    this.#headers = new Set([...SECRET_HEADERS, ...headers.map((name) => name.toLowerCase())]);
    this.#query = new Set(query.map((name) => name.toLowerCase()));
    this.#subprotocols = new Set([...KNOWN_SUBPROTOCOLS, ...subprotocols]);
    this.#blot = blot;
  }

  /** Header fields as names and values in turn become pairs. */
  fields(raw: readonly string[]): [string, string][] {
    const fields: [string, string][] = [];
    for (let at = 0; at + 1 < raw.length; at += 2) fields.push([raw[at]!, this.#value(raw[at]!, raw[at + 1]!)]);
    return fields;
  }

  /** Also one without a scheme; what is no URL is taken for one. */
  url(text: string): string {
    const [, before = '', query, fragment = ''] = /^([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(text) ?? [];
    const place = before.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, `$1${BLOT}@`);
    return this.#blot(`${place}${query === undefined ? '' : this.#parameters(query)}${fragment && `#${BLOT}`}`);
  }

  /** The name that was chosen. */
  subprotocol(name: string): string {
    return name === '' || this.#subprotocols.has(name) ? name : BLOT;
  }

  #value(name: string, value: string): string {
    const lower = name.toLowerCase();
    if (this.#headers.has(lower)) return BLOT;
    if (lower === 'sec-websocket-protocol') {
      return value
        .split(',')
        .map((one) => this.subprotocol(one.trim()))
        .join(', ');
    }
    if (lower === 'referer' || lower === 'location' || lower === 'origin') return this.url(value);
    return this.#blot(value);
  }

  #parameters(query: string): string {
    const parts = query.slice(1).split('&');
    return `?${parts.map((part) => this.#parameter(part)).join('&')}`;
  }

  #parameter(part: string): string {
    const equals = part.indexOf('=');
    if (equals === -1) {
      // A token may stand there alone.
      return part.length > 24 ? BLOT : part;
    }
    const name = decoded(part.slice(0, equals));
    const isSecret = SECRET_PARAMETER.test(name) || this.#query.has(name.toLowerCase());
    return isSecret ? `${part.slice(0, equals)}=${BLOT}` : part;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
