/** Owns the shape of what is said about an error code. */

/** What the table says about one code. */
export interface ErrorEntry {
  /** Whose mistake it is. */
  readonly whose: 'application' | 'operator' | 'downstream' | 'upstream' | 'network' | 'us';
  /** The HTTP status a client sees when it happens before the 101. */
  readonly status?: number;
  /** The close code a client sees when it happens after the 101. */
  readonly close?: number;
  /** What to do about it, in one line. */
  readonly help: string;
}
