/** Owns what each state of the charts `connection` and `upstream` means, and what ends it, in words. Refuses to look at a connection. */

/** What is said about a state, whoever is in it. */
export interface StateWords {
  readonly is: string;
  /** What would make it move on. */
  readonly next: string;
}

/** The regions that both charts have while they are open; `peer` is who is on that side. */
function regionsOf(peer: 'client' | 'target', chart: string): Record<string, StateWords> {
  const open = `${chart}.open`;
  return {
    [`${open}.outbound`]: { is: `what goes to the ${peer}`, next: `the ${peer} reads faster or slower` },
    [`${open}.outbound.flowing`]: {
      is: `The ${peer} takes what is sent to it.`,
      next: `data for the ${peer} waits for longer than timeouts.pressureDwell, or crosses limits.highWaterMark`,
    },
    [`${open}.outbound.throttled`]: {
      is: `The ${peer} reads more slowly than data comes for it.`,
      next: `the ${peer} reads what waits for it`,
    },
    [`${open}.inbound`]: { is: `what comes from the ${peer}`, next: 'reading is paused or goes on' },
    [`${open}.inbound.reading`]: {
      is: `The ${peer} is read, as fast as the other side takes it.`,
      next: 'reading is paused',
    },
    [`${open}.inbound.paused`]: { is: `The ${peer} is not read.`, next: 'whoever paused it lets reading go on' },
    [`${open}.liveness`]: { is: `whether the ${peer} is there`, next: 'a ping, and its answer' },
    [`${open}.liveness.alive`]: { is: `The ${peer} is taken to be there.`, next: 'a ping is due' },
    [`${open}.liveness.probing`]: {
      is: `A ping was sent to the ${peer}; nothing came from it since.`,
      next: `anything comes from the ${peer}`,
    },
    [`${open}.liveness.suspended`]: {
      is: `Whether the ${peer} is there is not judged while it is not read.`,
      next: 'it is read again',
    },
  };
}

/** By the id of the state, as in the drawn charts. */
export const STATE_WORDS: Readonly<Record<string, StateWords>> = {
  connection: { is: 'the side of the client', next: 'whatever comes from the client or the target' },
  'connection.handshaking': {
    is: 'The client waits for the answer to its handshake.',
    next: 'it is decided, and the target is connected',
  },
  'connection.handshaking.deciding': {
    is: 'It is being decided whether the client may connect.',
    next: 'there is a decision',
  },
  'connection.handshaking.dialling': {
    is: 'The client was accepted, and gets its 101 when the target is connected.',
    next: 'the target answers or fails',
  },
  'connection.handshaking.settled': { is: 'The handshake is decided.', next: 'it opens at once' },
  'connection.open': {
    is: 'It is open.',
    next: 'either side closes or breaks, or the application, the operator or a deadline closes it',
  },
  ...regionsOf('client', 'connection'),
  'connection.closing': {
    is: 'The closing handshake with the client is under way.',
    next: 'both Close frames were exchanged and TCP has ended',
  },
  'connection.rejected': { is: 'The handshake was refused.', next: 'nothing: it is over' },
  'connection.closed': { is: 'The connection of the client is over.', next: 'nothing: it is over' },
  upstream: { is: 'the side of the target', next: 'whatever comes from the target or the client' },
  'upstream.dialling': { is: 'The target is being connected.', next: 'the target answers or fails' },
  'upstream.open': { is: 'The target is connected.', next: 'either side closes or breaks' },
  ...regionsOf('target', 'upstream'),
  'upstream.closing': {
    is: 'The target was told of the end, or told it.',
    next: 'the target answers, and TCP has ended',
  },
  'upstream.unreachable': { is: 'The target could not be connected, or was given up.', next: 'nothing: it is over' },
  'upstream.closed': { is: 'The connection to the target is over.', next: 'nothing: it is over' },
};

/** What is said about a state. */
export function wordsOfState(id: string): StateWords {
  return STATE_WORDS[id] ?? { is: `It is in the state ${id}.`, next: 'not known' };
}
