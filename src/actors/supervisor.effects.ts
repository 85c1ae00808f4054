/** Owns the effects that the `supervisor` chart may have. */

/** Everything the `supervisor` chart can do. None may throw. */
export interface SupervisorEffects {
  readonly timeouts: { readonly drain: number };
  /** Open every listener; answered with `listeners.bound` or `listeners.failed`. */
  bindListeners(): void;
  closeListeners(): void;
  startHeartbeat(): void;
  stopHeartbeat(): void;
  /** Close every connection that is open now, paced, and go on listening. */
  disconnectAll(): void;
  /** Close every connection, paced to be done within the drain deadline. */
  drainConnections(): void;
  /** Cut what is left after the drain deadline. */
  terminateAll(): void;
  announceStarted(): void;
  announceFailed(): void;
  announceStopped(): void;
  /** A connection actor failed in a way its own guards did not catch. */
  noteFailure(error: unknown): void;
}
