/**
 * Owns receivers that write down every callback in order, so that a test can compare the whole story or wait for a part
 * of it. Refuses to decide anything unless the test overrides a callback.
 */
import type { CloseStatus } from '../../src/receivers/close-code.js';
import type { Connection } from '../../src/receivers/connection.js';
import { ConnectionReceiver } from '../../src/receivers/connection-receiver.js';
import type { UpgradeAnswer } from '../../src/receivers/decision.js';
import type { Fragment, FragmentReply, MessageReply } from '../../src/receivers/lifecycle-receiver.js';
import type { UpgradeRequest } from '../../src/receivers/upgrade-request.js';
import { WaitingLine } from './events.js';

/** What is written down for each callback: its name without `on`, and what matters of its arguments. */
export interface EntryArguments {
  /** The request target, such as `/chat?room=1`. */
  upgrade: [url: string];
  open: [url: string];
  text: [text: string];
  binary: [data: Buffer];
  closed: [status: CloseStatus, reason: string];
  throttled: [];
  unthrottled: [];
  /** `first`, `middle`, `final` or `only`, and the bytes. */
  fragment: [place: string, data: Buffer];
  upstreamText: [text: string];
  upstreamBinary: [data: Buffer];
  beforeHeartbeat: [];
  idleTimeout: [];
}

/** The name of a callback in the story. */
export type EntryName = keyof EntryArguments;

/** One line of the story, such as `['closed', 1000, '']`. */
export type Entry<Name extends EntryName = EntryName> = Extract<AnyEntry, [name: Name, ...rest: unknown[]]>;

type AnyEntry = { [Name in EntryName]: [name: Name, ...EntryArguments[Name]] }[EntryName];

/**
 * What a callback does after it was written down: answer, throw, return a promise. The receiver comes last, so that
 * `receiver.connection` can be used. The optional callbacks exist on a receiver only when they are given here.
 */
export interface ReceiverOverrides<Receiver = QuietReceiver> {
  onUpgradeRequest?(request: UpgradeRequest, receiver: Receiver): UpgradeAnswer | Promise<UpgradeAnswer>;
  onOpen?(request: UpgradeRequest, receiver: Receiver): void | Promise<void>;
  onClosed?(status: CloseStatus, reason: string, receiver: Receiver): void | Promise<void>;
  onThrottled?(receiver: Receiver): void | Promise<void>;
  onUnthrottled?(receiver: Receiver): void | Promise<void>;
  onBeforeHeartbeat?(receiver: Receiver): boolean | void;
  onIdleTimeout?(receiver: Receiver): boolean | void;
}

/** The same with the callbacks that look at messages. */
export interface MessageOverrides extends ReceiverOverrides<RecordingReceiver> {
  onText?(text: string, receiver: RecordingReceiver): MessageReply | Promise<MessageReply>;
  onBinary?(data: Buffer, receiver: RecordingReceiver): MessageReply | Promise<MessageReply>;
  onFragment?(fragment: Fragment, receiver: RecordingReceiver): FragmentReply | Promise<FragmentReply>;
  onUpstreamText?(text: string, receiver: RecordingReceiver): MessageReply | Promise<MessageReply>;
  onUpstreamBinary?(data: Buffer, receiver: RecordingReceiver): MessageReply | Promise<MessageReply>;
}

/** Records the lifecycle callbacks and no messages, so that its connection stays on the fast data paths. */
export class QuietReceiver extends ConnectionReceiver {
  /** The connection at hand, for the test too. */
  declare connection: Connection;
  /** The handshake, once there was one. */
  request: UpgradeRequest | undefined;
  /** The story so far. Waiting for a part of it takes nothing away. */
  readonly entries: Entry[] = [];
  /** Names of callbacks that began while an asynchronous one was pending. The contract allows none. */
  readonly overlapping: EntryName[] = [];

  declare onBeforeHeartbeat?: () => boolean | void;
  declare onIdleTimeout?: () => boolean | void;

  readonly #overrides: ReceiverOverrides<this>;
  readonly #lines = new Map<EntryName, { readonly line: WaitingLine; given: number }>();
  #pending = 0;

  constructor(overrides: ReceiverOverrides = {}) {
    super();
    this.#overrides = overrides;
    const { onBeforeHeartbeat, onIdleTimeout } = overrides;
    if (onBeforeHeartbeat !== undefined) {
      this.onBeforeHeartbeat = () => this.record(['beforeHeartbeat'], () => onBeforeHeartbeat(this));
    }
    if (onIdleTimeout !== undefined) this.onIdleTimeout = () => this.record(['idleTimeout'], () => onIdleTimeout(this));
  }

  /** The names of the story, in order, such as `['upgrade', 'open', 'closed']`. */
  get names(): EntryName[] {
    return this.entries.map(([name]) => name);
  }

  /** The lines of one name. */
  entriesOf<Name extends EntryName>(name: Name): Entry<Name>[] {
    return this.entries.filter((entry): entry is Entry<Name> => entry[0] === name);
  }

  /**
   * Resolves with a line of that name: the n-th call with the n-th line, which may be there already. What comes once
   * (upgrade, open, closed) is given to every caller. Bounded by the timeout of the test.
   */
  waitFor<Name extends EntryName>(name: Name): Promise<Entry<Name>> {
    const once = name === 'upgrade' || name === 'open' || name === 'closed';
    const state = this.#lineOf(name);
    return state.line.until(
      () => {
        const entry = this.entriesOf(name)[once ? 0 : state.given];
        if (entry !== undefined) state.given += 1;
        return entry;
      },
      () => undefined,
    );
  }

  override onUpgradeRequest(request: UpgradeRequest): UpgradeAnswer | Promise<UpgradeAnswer> {
    this.request = request;
    return this.record(['upgrade', request.url], () =>
      this.#overrides.onUpgradeRequest === undefined ? true : this.#overrides.onUpgradeRequest(request, this),
    );
  }

  override onOpen(request: UpgradeRequest): void | Promise<void> {
    return this.record(['open', request.url], () => this.#overrides.onOpen?.(request, this));
  }

  override onClosed(status: CloseStatus, reason: string): void | Promise<void> {
    return this.record(['closed', status, reason], () => this.#overrides.onClosed?.(status, reason, this));
  }

  override onThrottled(): void | Promise<void> {
    return this.record(['throttled'], () => this.#overrides.onThrottled?.(this));
  }

  override onUnthrottled(): void | Promise<void> {
    return this.record(['unthrottled'], () => this.#overrides.onUnthrottled?.(this));
  }

  /** Writes a line down, wakes whoever waits for it, and does what the override says. */
  protected record<T>(entry: Entry, act: () => T): T {
    if (this.#pending > 0) this.overlapping.push(entry[0]);
    this.entries.push(entry);
    this.#lineOf(entry[0]).line.notify();
    const result = act();
    if (result instanceof Promise) {
      this.#pending += 1;
      const settled = (): void => {
        this.#pending -= 1;
      };
      // Both ways are handled here; the caller still sees the rejection on its own promise.
      result.then(settled, settled);
    }
    return result;
  }

  #lineOf(name: EntryName): { readonly line: WaitingLine; given: number } {
    const known = this.#lines.get(name);
    if (known !== undefined) return known;
    const fresh = { line: new WaitingLine(), given: 0 };
    this.#lines.set(name, fresh);
    return fresh;
  }
}

/** Records every callback. It looks at messages, so its connection is on the `messages` path. */
export class RecordingReceiver extends QuietReceiver {
  declare onFragment?: (fragment: Fragment) => FragmentReply | Promise<FragmentReply>;
  declare onUpstreamText?: (text: string) => MessageReply | Promise<MessageReply>;
  declare onUpstreamBinary?: (data: Buffer) => MessageReply | Promise<MessageReply>;

  readonly #overrides: MessageOverrides;

  constructor(overrides: MessageOverrides = {}) {
    super(overrides as ReceiverOverrides);
    this.#overrides = overrides;
    const { onFragment, onUpstreamText, onUpstreamBinary } = overrides;
    if (onFragment !== undefined) {
      this.onFragment = (fragment) =>
        this.record(['fragment', placeOf(fragment), Buffer.from(fragment.data)], () => onFragment(fragment, this));
    }
    if (onUpstreamText !== undefined) {
      this.onUpstreamText = (text) => this.record(['upstreamText', text], () => onUpstreamText(text, this));
    }
    if (onUpstreamBinary !== undefined) {
      this.onUpstreamBinary = (data) =>
        this.record(['upstreamBinary', Buffer.from(data)], () => onUpstreamBinary(data, this));
    }
  }

  override onText(text: string): MessageReply | Promise<MessageReply> {
    return this.record(['text', text], () => this.#overrides.onText?.(text, this));
  }

  override onBinary(data: Buffer): MessageReply | Promise<MessageReply> {
    // A copy, so that a buffer used again by mistake shows.
    return this.record(['binary', Buffer.from(data)], () => this.#overrides.onBinary?.(data, this));
  }
}

function placeOf({ first, final }: Fragment): string {
  if (first) return final ? 'only' : 'first';
  return final ? 'final' : 'middle';
}

/** Makes receivers for a server and keeps them. */
export interface ReceiverFactory<Receiver> {
  /** Goes into the option `receiver`. */
  readonly create: () => Receiver;
  /** Every receiver that was made, in order. */
  readonly receivers: readonly Receiver[];
  /** Resolves with the first receiver that was not given yet, and waits for one when there is none. */
  nextReceiver(): Promise<Receiver>;
}

/** Makes a factory of recording receivers with these overrides, or of whatever a function makes. */
export function receiverFactory(overrides?: MessageOverrides): ReceiverFactory<RecordingReceiver>;
export function receiverFactory<Receiver extends ConnectionReceiver>(make: () => Receiver): ReceiverFactory<Receiver>;
export function receiverFactory(
  how: MessageOverrides | (() => ConnectionReceiver) = {},
): ReceiverFactory<ConnectionReceiver> {
  const receivers: ConnectionReceiver[] = [];
  const line = new WaitingLine();
  let given = 0;
  const create = (): ConnectionReceiver => {
    const receiver = typeof how === 'function' ? how() : new RecordingReceiver(how);
    receivers.push(receiver);
    line.notify();
    return receiver;
  };
  const nextReceiver = (): Promise<ConnectionReceiver> =>
    line.until(
      () => {
        const receiver = receivers[given];
        if (receiver !== undefined) given += 1;
        return receiver;
      },
      () => undefined,
    );
  return { create, receivers, nextReceiver };
}
