/** Owns the effects that the `backend` chart may have. */
import type { PairsFate } from './backend.js';

/** Everything the `backend` chart can do. None may throw. */
export interface BackendEffects {
  /** Deadline of a drain, in milliseconds; 0 means none. */
  readonly timeouts: { readonly drain: number };
  /** How long the ejection that begins now lasts, in milliseconds. */
  ejectionTime(): number;
  /** It may be picked from now on; its load and health are told to the chart. */
  announceReady(): void;
  /** It is not picked any more, and its pairs meet their fate. */
  announceDraining(fate: PairsFate): void;
  /** Active checks failed: its pairs meet the fate that the options say. */
  announceUnhealthy(): void;
  /** Its traffic failed too often; it gets no picks for a while. */
  announceEjected(): void;
  /** A few picks find out whether it is well again. */
  beginTrial(): void;
  /** It is well (again). */
  announceHealthy(): void;
  /** The drain took too long: what is left is cut. */
  terminatePairs(): void;
  /** It is no backend any more. */
  announceGone(): void;
}
