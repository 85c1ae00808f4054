/** Owns the contract of a selection policy: which of the backends that are available gets the next client. */

/** An available backend, as a policy sees it. */
export interface Candidate {
  readonly id: string;
  /** Above 0; smaller for a while after it became ready, when `slowStart` is on. */
  readonly weight: number;
  /** Connections on it, and picks that are under way. */
  readonly load: number;
  readonly tags: readonly string[];
}

/** What a pick may depend on beside the candidates. */
export interface SelectionContext {
  /** What a hashing policy hashes; undefined when the client has nothing of the kind. */
  readonly key: string | undefined;
  /** From 0 up to 1. */
  random(): number;
}

/** Chooses a backend. Deterministic: what it answers follows from its arguments and from the picks before. */
export interface SelectionPolicy {
  /**
   * Called for each pick, and again for a client that waits whenever there may be room for it. At once: no promise. May call the balancer.
   *
   * @param candidates at least one, in the order in which they came.
   * @returns one of them; undefined picks none, as if none were available: the client is refused. So it is when this throws, or answers with
   * something else; then there is an `exception` beside.
   */
  select(candidates: readonly Candidate[], context: SelectionContext): Candidate | undefined;
}
