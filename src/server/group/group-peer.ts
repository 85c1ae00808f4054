/** Owns the shape of another member of a group, as one member sees it over a control channel. Refuses to connect to it. */

/** One control channel, from the registration to its end: another one to the same member is another peer. */
export interface GroupPeer {
  /** The id of the backend or balancer at its other end. */
  readonly id: string;
  /** A balancer does, a backend has its own clients only. */
  readonly speaksForOthers: boolean;
  /** Hands a message, as JSON, to the channel. Answers whether that took it: one that is full or over does not. Must not throw. */
  send(text: string): boolean;
}

/** The other members that an action goes to. */
export interface GroupPeers {
  readonly asked: readonly GroupPeer[];
  /** The ids of those that would be asked, and cannot be now. */
  readonly absent: readonly string[];
}
