/** Owns the shape that the handshakes with proxies have in common, whatever the proxy speaks. Refuses to speak any. */
import type { Buffer } from 'node:buffer';

/** Where a tunnel is to lead. */
export interface TunnelOrder {
  /** A name or an address; an IPv6 address stands without brackets. */
  readonly host: string;
  readonly port: number;
  readonly credentials?: ProxyCredentials | undefined;
}

/** Who we are to the proxy. */
export interface ProxyCredentials {
  readonly username: string;
  readonly password: string;
}

/** What follows from the bytes a proxy sent. */
export type TunnelStep =
  /** More has to come; what is to be sent meanwhile. */
  | { readonly kind: 'more'; readonly send?: Buffer }
  /** The tunnel is open; what came behind the answer belongs to the target. */
  | { readonly kind: 'open'; readonly rest: Buffer }
  /** The proxy refused, or answered what it may not. The reason holds no secret. */
  | { readonly kind: 'failed'; readonly reason: string };

/** One handshake with one proxy. */
export interface TunnelHandshake {
  /** The bytes to begin with. */
  begin(): Buffer;
  /** Takes the next bytes; they are copied as far as they are kept. Not to be called any more after `open` and `failed`. */
  take(bytes: Buffer): TunnelStep;
}
