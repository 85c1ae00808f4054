/** Owns how a server is told to stop. Refuses to stop it. */

/** How a server is stopped. */
export interface StopOptions {
  /** Milliseconds until what is left is cut; default `timeouts.drain`, 0 cuts at once. */
  readonly drainTimeout?: number;
}
