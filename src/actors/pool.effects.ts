/** Owns the effects that the `pool` chart may have. */

/** Everything the `pool` chart can do. None may throw. */
export interface PoolEffects {
  /** There is a backend with room: whoever waits for one is served, in order. */
  serveWaiting(): void;
  /** Nobody who waits will be served soon: all are refused. */
  refuseWaiting(): void;
}
