/** Owns members of a group that are connected in memory, for tests of what they say to each other. Refuses to know sockets. */
import type { GroupAction, GroupCommand, GroupFilter, GroupResult } from '../../../src/protocol/control/messages.js';
import type { Message } from '../../../src/receivers/index.js';
import type { BroadcastFilter } from '../../../src/server/broadcast.js';
import { GroupMember, type GroupMemberOptions } from '../../../src/server/group/group-member.js';
import type { GroupPeer } from '../../../src/server/group/group-peer.js';
import type { LocalClients } from '../../../src/server/group/local-clients.js';

/** Two clients, `c1` and `c2`, and what reached them. */
export class TwoClients implements LocalClients {
  readonly got: string[] = [];
  /** Called for each message, as a callback of an application would be. */
  onMessage: (text: string) => void = () => {};

  broadcast(message: Message, { include = [], exclude = [] }: BroadcastFilter) {
    const ids = ['c1', 'c2'].filter((id) => (include.length === 0 || include.includes(id)) && !exclude.includes(id));
    for (const id of ids) this.#take(id, String(message));
    return { matched: ids.length, accepted: ids.length, queued: 0, dropped: 0, closed: 0 };
  }

  send(id: string, message: Message) {
    if (id !== 'c1' && id !== 'c2') return 'unknown' as const;
    this.#take(id, String(message));
    return 'accepted' as const;
  }

  ping(payload: string) {
    this.got.push(`ping ${payload}`);
    return { matched: 2, accepted: 2, queued: 0, dropped: 0, closed: 0 };
  }

  disconnectAll() {
    this.got.push('disconnected');
    return 2;
  }

  #take(id: string, text: string): void {
    this.got.push(`${id} ${text}`);
    this.onMessage(text);
  }
}

/** One direction of a channel. Delivers in order, never inside the call that sends. */
export class Line implements GroupPeer {
  readonly id: string;
  readonly speaksForOthers: boolean;
  /** What was sent by it. */
  readonly sent: Array<GroupCommand | GroupResult> = [];
  /** Takes nothing more. */
  full = false;
  readonly #held: string[] = [];
  #holding = false;
  readonly #deliver: (message: GroupCommand | GroupResult) => void;

  constructor(to: GroupMember, speaksForOthers: boolean, deliver: (message: GroupCommand | GroupResult) => void) {
    this.id = to.id;
    this.speaksForOthers = speaksForOthers;
    this.#deliver = deliver;
  }

  send(text: string): boolean {
    if (this.full) return false;
    this.sent.push(JSON.parse(text));
    this.#held.push(text);
    queueMicrotask(() => this.#flush());
    return true;
  }

  /** Nothing arrives until `release`, as from a process that hangs. */
  hold(): void {
    this.#holding = true;
  }

  release(): void {
    this.#holding = false;
    this.#flush();
  }

  #flush(): void {
    while (!this.#holding && this.#held.length > 0) this.#deliver(JSON.parse(this.#held.shift()!));
  }
}

/** A member, its clients and its lines to others by their ids. */
export interface Node {
  readonly member: GroupMember;
  readonly clients: TwoClients;
  readonly lines: Map<string, Line>;
  readonly absent: string[];
  readonly exceptions: unknown[];
}

/** Makes a member that has no lines yet. */
export function createNode(id: string, role: 'balancer' | 'backend', options: Partial<GroupMemberOptions> = {}): Node {
  const lines = new Map<string, Line>();
  const absent: string[] = [];
  const exceptions: unknown[] = [];
  const clients = new TwoClients();
  const member = new GroupMember({
    id,
    epoch: 'e1',
    role,
    timeout: 5000,
    maxMessageBytes: 1000,
    clients,
    peersFor: (concerned) => {
      if (role === 'backend')
        return { asked: concerned?.has(id) === true && concerned.size === 1 ? [] : [...lines.values()], absent };
      return { asked: [...lines.values()].filter((line) => concerned?.has(line.id) !== false), absent };
    },
    exception: (error) => exceptions.push(error),
    ...options,
  });
  return { member, clients, lines, absent, exceptions };
}

/** Connects a backend with a balancer. */
export function connect(balancer: Node, backend: Node): void {
  const up = new Line(balancer.member, true, (message) => take(balancer, down, message));
  const down = new Line(backend.member, false, (message) => take(backend, up, message));
  balancer.lines.set(down.id, down);
  backend.lines.set(up.id, up);
}

function take({ member }: Node, from: Line, message: GroupCommand | GroupResult): void {
  if (message.type === 'result') member.answered(from, message);
  else member.receive(from, message);
}

/** A balancer `lb` and its backends `b1`, `b2`, …, two clients at each. */
export function createWorld(backends = 3, options: Partial<GroupMemberOptions> = {}) {
  const lb = createNode('lb', 'balancer', options);
  const [b1, b2, b3] = [1, 2, 3].slice(0, backends).map((n) => {
    const backend = createNode(`b${n}`, 'backend', options);
    connect(lb, backend);
    return backend;
  }) as [Node, Node, Node];
  return { lb, b1, b2, b3 };
}

/** Says something to everybody. */
export function saying(text: string, filter?: GroupFilter): GroupAction {
  return { verb: 'broadcast', message: { text }, filter };
}
