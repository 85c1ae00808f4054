/** Owns the hooks by which an application dials in a way of its own, or resolves names. Refuses to call them. */
import type { Duplex } from 'node:stream';
import type { Target } from './target.js';

/** What the hook `connect` is told beside the target. */
export interface ConnectContext {
  /** Aborts when the client leaves or `timeouts.dial` passes. A stream that comes afterwards is destroyed. */
  readonly signal: AbortSignal;
}

/**
 * Connects to a target in a way of its own; see {@link DialHooks.connect}.
 *
 * @returns a `net.Socket`, which may still be connecting, any other Duplex of bytes, or undefined to have it dialled as usual.
 */
export type ConnectHook = (target: Target, context: ConnectContext) => Promise<Duplex | undefined> | Duplex | undefined;

/** Resolves a name; see {@link DialHooks.lookup}. */
export type LookupHook = (hostname: string) => Promise<readonly string[]> | readonly string[];

/** How targets are reached, as far as only code can say. */
export interface DialHooks {
  /**
   * Connects to a target: through an SSH tunnel, from a pool, to an in-memory stream. Called once for each connection that needs
   * its target, within `timeouts.dial`, after the target was judged by what it says and before anything is sent to it. The stream
   * then belongs to the server: TLS (`tls:`, `wss:`, unless it is a TLSSocket already), the PROXY protocol and the handshake go
   * over it, and it is destroyed with the connection. `dialThrough` and the addresses in `targets` do not concern it. A throw,
   * a rejection and anything that is no Duplex answer 502 (`UPSTREAM_REFUSED`); a TidegateError keeps its code. May call back in.
   */
  readonly connect?: ConnectHook | undefined;
  /**
   * Resolves the names of targets and of the proxy, in place of the operating system. Called once for each dial of a target that
   * is a name, and never for an address; the addresses it answers are judged by `targets` and connected to as they are. None, a
   * throw and a rejection answer 502 (`UPSTREAM_NOT_FOUND`).
   */
  readonly lookup?: LookupHook | undefined;
}
