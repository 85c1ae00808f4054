/** Owns the shape of a case of a conformance suite, which any test framework can run. Refuses to know one. */

/** One case. */
export interface ConformanceCase {
  /** A sentence whose subject is what is tested. */
  readonly name: string;
  /** Rejects with an AssertionError that says what is wrong. */
  run(): Promise<void>;
}

/** What registers a test: `it` of vitest and jest, `test` of `node:test`. */
export type RegisterTest = (name: string, run: () => Promise<void>) => unknown;
