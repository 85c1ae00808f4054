/** Owns the effects that the `backend` chart may have. */
import type { PairsFate } from './backend.js';

/** Everything the `backend` chart can do. None may throw. */
export interface BackendEffects {
  /** Milliseconds: the deadline of a drain, 0 for none, and how long the connections of a trial have to last. */
  readonly timeouts: { readonly drain: number; readonly proving: number };
  /** How long the ejection that begins now lasts, in milliseconds. */
  ejectionTime(): number;
  /** It may be picked from now on; its load and health are told to the chart. */
  announceReady(): void;
  /** It is not picked any more. */
  announceDraining(): void;
  /** What becomes of its pairs while it drains; when there are none the chart is told. */
  meetFate(fate: PairsFate): void;
  /** When there are no pairs the chart is told. */
  lookForPairs(): void;
  /** Active checks failed: its pairs meet the fate that the options say. */
  announceUnhealthy(): void;
  /** Its traffic failed too often; it gets no picks for a while. */
  announceEjected(): void;
  /** A few picks find out whether it is well again. */
  beginTrial(): void;
  /** It is well again. */
  announceHealthy(): void;
  /** The drain took too long: what is left is cut. */
  terminatePairs(): void;
  /** It is no backend any more. */
  announceGone(): void;
}
