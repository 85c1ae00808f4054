/**
 * Owns one member of a group, a balancer or a backend: carries commands out for its own clients, hands them on to others, waits for
 * their results, and answers. Each command once, those of one origin in their order. Refuses to know how members are connected, and
 * who delivers to which client.
 */
import { Outbox } from '../../actors/outbox.js';
import { MAX_GROUP_MESSAGE_BYTES, membersOf, problemOf } from '../../protocol/control/group-action.js';
import type { GroupAction, GroupCommand, GroupResult } from '../../protocol/control/messages.js';
import { TidegateError } from '../../receivers/index.js';
import type { GroupReport } from './group.js';
import type { GroupPeer, GroupPeers } from './group-peer.js';
import { carryOut, type LocalClients } from './local-clients.js';
import { type Asking, PendingAsks } from './pending-asks.js';
import { SeenCommands } from './seen-commands.js';
import { Tally } from './tally.js';

/** Of the time that the sender waits: the rest is for the way. */
const SHARE_OF_WAIT = 0.9;

/** What a member is made of. */
export interface GroupMemberOptions {
  readonly id: string;
  /** Tells this start from others. */
  readonly epoch: string;
  /** A balancer hands on what backends ask for; a backend hands on nothing. */
  readonly role: 'balancer' | 'backend';
  /** Milliseconds until who has not answered is lost. */
  readonly timeout: number;
  /** Bytes of one message. Default: {@link MAX_GROUP_MESSAGE_BYTES}. */
  readonly maxMessageBytes?: number | undefined;
  readonly clients: LocalClients;
  /**
   * The other members that an action goes to. Must not throw.
   *
   * @param concerned the ids of those that it is for; undefined for all.
   */
  peersFor(concerned: ReadonlySet<string> | undefined): GroupPeers;
  /** Why nothing can be begun that is for these, before anything is done; undefined when it can. */
  refusal?(concerned: ReadonlySet<string> | undefined): TidegateError | undefined;
  /** An application's callback threw. */
  exception(error: unknown): void;
}

/** One member of a group. */
export class GroupMember {
  readonly #options: GroupMemberOptions;
  readonly #seen = new SeenCommands();
  readonly #asks = new PendingAsks();
  /** What an application does in a callback of one command comes behind it, everywhere. */
  readonly #turns = new Outbox();
  #sequence = 0;
  #closed = false;

  constructor(options: GroupMemberOptions) {
    this.#options = options;
  }

  get id(): string {
    return this.#options.id;
  }

  /** Does something for the clients of the whole group. @throws TidegateError `INVALID_MESSAGE`, or what `refusal` says. */
  async run(action: GroupAction): Promise<GroupReport> {
    const problem = problemOf(action, this.#maxBytes);
    if (problem !== undefined) throw new TidegateError('INVALID_MESSAGE', problem);
    const refusal = this.#options.refusal?.(membersOf(action));
    if (refusal !== undefined) throw refusal;
    const tally = new Tally();
    await this.#begin(action, tally);
    return tally.report();
  }

  /** Takes a command of another member. Answers with what is wrong with it; undefined for nothing. */
  receive(from: GroupPeer, command: GroupCommand): string | undefined {
    const problem = problemOf(command.action, this.#maxBytes) ?? problemOfOrigin(from, command);
    const tally = new Tally();
    if (problem !== undefined) tally.lose(this.id);
    const done = problem === undefined ? this.#take(from, command, tally) : Promise.resolve();
    void this.#answerBehind(done, from, command.id, tally);
    return problem;
  }

  /** Takes the result of another member. One that was not asked for changes nothing. */
  answered(from: GroupPeer, result: GroupResult): void {
    this.#asks.answered(from, result);
  }

  /** Its channel is over: what it was asked it does not answer any more. */
  gone(peer: GroupPeer): void {
    this.#asks.gone(peer);
  }

  /** Waits for nobody any more; who has not answered is lost. */
  close(): void {
    this.#closed = true;
    this.#asks.close();
  }

  get #maxBytes(): number {
    return this.#options.maxMessageBytes ?? MAX_GROUP_MESSAGE_BYTES;
  }

  #begin(action: GroupAction, tally: Tally): Promise<void> {
    const { id: origin, epoch, timeout, role } = this.#options;
    return this.#inTurn(() => {
      this.#sequence += 1;
      const command = { origin, epoch, sequence: this.#sequence, action };
      return this.#perform(command, { tally, wait: timeout, for: undefined }, role === 'balancer' ? 0 : 1);
    });
  }

  #take(from: GroupPeer, command: GroupCommand, tally: Tally): Promise<void> {
    const { id, timeout, role } = this.#options;
    if (this.#closed) {
      tally.lose(id);
      return Promise.resolve();
    }
    const handsOn = role === 'balancer' && command.hops > 0;
    return this.#inTurn(() => {
      // Its own one came back, or it came by another way before.
      if (command.origin === id || !this.#seen.take(command)) return Promise.resolve();
      const asking = { tally, wait: Math.min(timeout, command.waitMs * SHARE_OF_WAIT), for: from };
      return this.#perform(command, asking, handsOn ? 0 : undefined);
    });
  }

  // Apart from what holds the command: while results are waited for, its message is not kept.
  async #answerBehind(done: Promise<void>, from: GroupPeer, id: string, tally: Tally): Promise<void> {
    try {
      await done;
    } catch (error) {
      tally.lose(this.id);
      this.#options.exception(error);
    }
    const { complete: _, ...rest } = tally.report();
    const result: GroupResult = { type: 'result', id, ...rest };
    // A channel that does not take it is over, or so far behind that nobody waits for this.
    from.send(JSON.stringify(result));
  }

  /** @param hops that are left for those it is handed on to; undefined when it is not. */
  #perform(
    command: Pick<GroupCommand, 'origin' | 'epoch' | 'sequence' | 'action'>,
    asking: Asking,
    hops: number | undefined,
  ): Promise<void> {
    const { origin, epoch, sequence, action } = command;
    const { tally } = asking;
    const concerned = membersOf(action);
    const id = this.#asks.nextId();
    const copy = { type: 'command', id, origin, epoch, sequence, waitMs: Math.ceil(asking.wait), action } as const;
    const taken = hops === undefined ? [] : this.#handOn({ ...copy, hops }, concerned, tally);
    const answers = this.#asks.wait(id, taken, asking);
    // Behind the hand-off: what comes of it in callbacks of the application comes behind it elsewhere, too.
    if (concerned === undefined || concerned.has(this.id)) this.#carryOut(action, tally);
    return answers;
  }

  /** Answers with those that have it now. */
  #handOn(command: GroupCommand, concerned: ReadonlySet<string> | undefined, tally: Tally): GroupPeer[] {
    const { asked, absent } = this.#options.peersFor(concerned);
    // The origin has done its part.
    const others = asked.filter((peer) => peer.id !== command.origin);
    const text = others.length > 0 ? JSON.stringify(command) : '';
    const taken: GroupPeer[] = [];
    for (const peer of others) {
      if (peer.send(text)) taken.push(peer);
      else tally.lose(peer.id);
    }
    for (const id of absent) if (id !== command.origin) tally.lose(id);
    return taken;
  }

  #carryOut(action: GroupAction, tally: Tally): void {
    const { clients, id, exception } = this.#options;
    try {
      tally.add({ ...carryOut(clients, action, id), reached: [id], lost: [] });
    } catch (error) {
      tally.lose(id);
      exception(error);
    }
  }

  /** Begins something when what is being done is done. */
  #inTurn(begin: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#turns.around(() => this.#turns.push(() => void begin().then(resolve, reject)));
    });
  }
}

function problemOfOrigin({ id, speaksForOthers }: GroupPeer, { origin }: GroupCommand): string | undefined {
  if (speaksForOthers || origin === id) return undefined;
  return `a command of ${JSON.stringify(origin)} from ${JSON.stringify(id)}`;
}
