/** Owns the sums in which the two sides of a pair, or of many, are added up. Refuses to know where the numbers come from. */

/** What went one way. */
export interface TrafficSum {
  /** Whole messages. Toward a target that speaks plain bytes, and from it, there are none. */
  messages: number;
  /** Bytes of payload. */
  bytes: number;
  /** Data frames that were not the last of their message: each message has one frame more than it has of these. */
  fragments: number;
  /** Close, ping and pong frames. */
  controls: number;
}

/** What one side carried, and holds. */
export interface SideSum {
  readonly received: TrafficSum;
  readonly sent: TrafficSum;
  /** Bytes accepted for it and not with the operating system yet. */
  bufferedBytes: number;
}

/** Both sides. */
export interface PairSums {
  readonly downstream: SideSum;
  readonly upstream: SideSum;
  /** Messages of the application that were dropped. */
  dropped: number;
}

/** Sums of nothing yet. */
export function emptySums(): PairSums {
  return { downstream: emptySide(), upstream: emptySide(), dropped: 0 };
}

/** Adds what went one way. */
export function addTraffic(to: TrafficSum, { messages, bytes, fragments, controls }: TrafficSum): void {
  to.messages += messages;
  to.bytes += bytes;
  to.fragments += fragments;
  to.controls += controls;
}

/** A copy that may be added to. */
export function copySums({ downstream, upstream, dropped }: PairSums): PairSums {
  return { downstream: copySide(downstream), upstream: copySide(upstream), dropped };
}

function emptySide(): SideSum {
  return { received: emptyTraffic(), sent: emptyTraffic(), bufferedBytes: 0 };
}

function emptyTraffic(): TrafficSum {
  return { messages: 0, bytes: 0, fragments: 0, controls: 0 };
}

function copySide({ received, sent, bufferedBytes }: SideSum): SideSum {
  return { received: { ...received }, sent: { ...sent }, bufferedBytes };
}
