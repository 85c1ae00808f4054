/**
 * Owns a receiver that writes down each callback, so that a test can wait for one or compare the whole story; around another receiver if
 * there is one, whose answers count. Refuses to decide anything itself.
 */
import { type Clock, systemClock } from '../actors/clock.js';
import {
  type Connection,
  ConnectionReceiver,
  type LifecycleReceiver,
  readsMessages,
  type UpgradeAnswer,
  type UpgradeRequest,
} from '../receivers/index.js';
import { WaitingLine } from './waiting-line.js';

/** The name of a callback. */
export type CallbackName = Exclude<keyof LifecycleReceiver, 'attach'>;

/** One callback that was called. */
export interface RecordedCall<Name extends CallbackName = CallbackName> {
  readonly callback: Name;
  readonly args: Parameters<NonNullable<LifecycleReceiver[Name]>>;
  /** When, in milliseconds on the clock of the recorder. */
  readonly at: number;
  /** The state of the connection in which it was called. */
  readonly state: Connection['state'];
  /** What it returned; a promise is one. */
  returned: unknown;
  /** What it threw, or its promise rejected with; undefined for nothing. */
  threw: unknown;
  /** Whether it came to its end: at once, or with its promise. */
  settled: boolean;
}

/** How callbacks are written down. */
export interface RecordingOptions {
  /** What the times are read from. Default: the clock of the process. */
  readonly clock?: Pick<Clock, 'now'> | undefined;
  /** Whether messages are looked at, where no other receiver is recorded. Without, the connection stays on the fast data paths. Default: true. */
  readonly messages?: boolean | undefined;
}

const MESSAGES = ['onText', 'onBinary'] as const;
const OPTIONAL = ['onFragment', 'onUpstreamText', 'onUpstreamBinary', 'onBeforeHeartbeat', 'onIdleTimeout'] as const;
const ONCE: ReadonlySet<CallbackName> = new Set(['onUpgradeRequest', 'onOpen', 'onClosed']);

/**
 * Writes down every callback with its arguments and its time. Made around another receiver it hands each call on and answers what that
 * one answers; it looks at messages only if that one does, so that its data path is the same.
 */
export class RecordingReceiver<Inner extends LifecycleReceiver = LifecycleReceiver> extends ConnectionReceiver {
  /** Every call so far, in order. */
  readonly calls: RecordedCall[] = [];
  /** The receiver that is recorded; undefined when there is none. */
  readonly inner: Inner | undefined;
  declare connection: Connection;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #line = new WaitingLine();
  readonly #given = new Map<CallbackName, number>();

  constructor(inner?: Inner, { clock = systemClock, messages = true }: RecordingOptions = {}) {
    super();
    this.inner = inner;
    this.#clock = clock;
    const looks = inner === undefined ? messages : readsMessages(inner);
    // Own properties, as a server judges by them whether messages have to be assembled.
    const own = this as unknown as Record<string, unknown>;
    if (looks) for (const name of MESSAGES) own[name] = this.#recorder(name);
    for (const name of OPTIONAL) if (inner?.[name] !== undefined) own[name] = this.#recorder(name);
  }

  /** The names of the callbacks, in order, such as `['onUpgradeRequest', 'onOpen', 'onClosed']`. */
  get names(): CallbackName[] {
    return this.calls.map(({ callback }) => callback);
  }

  /** The calls of one callback. */
  callsOf<Name extends CallbackName>(name: Name): RecordedCall<Name>[] {
    return this.calls.filter((call): call is RecordedCall<Name> => call.callback === name);
  }

  /**
   * Resolves with a call of this callback: the n-th `next` with the n-th call, which may have been already. What is called once at most
   * (`onUpgradeRequest`, `onOpen`, `onClosed`) is given to everyone who asks.
   */
  next<Name extends CallbackName>(name: Name): Promise<RecordedCall<Name>> {
    const at = ONCE.has(name) ? 0 : (this.#given.get(name) ?? 0);
    this.#given.set(name, at + 1);
    return this.#line.until(() => this.callsOf(name)[at]);
  }

  override attach(connection: Connection): void {
    super.attach(connection);
    this.inner?.attach?.(connection);
  }

  override onUpgradeRequest(request: UpgradeRequest): UpgradeAnswer | Promise<UpgradeAnswer> {
    return this.#record('onUpgradeRequest', [request], () =>
      this.inner === undefined ? true : this.inner.onUpgradeRequest(request),
    );
  }

  override onOpen(request: UpgradeRequest): void | Promise<void> {
    return this.#record('onOpen', [request], () => this.inner?.onOpen(request));
  }

  override onClosed(...args: Parameters<LifecycleReceiver['onClosed']>): void | Promise<void> {
    return this.#record('onClosed', args, () => this.inner?.onClosed(...args));
  }

  override onThrottled(): void | Promise<void> {
    return this.#record('onThrottled', [], () => this.inner?.onThrottled());
  }

  override onUnthrottled(): void | Promise<void> {
    return this.#record('onUnthrottled', [], () => this.inner?.onUnthrottled());
  }

  #recorder(name: CallbackName) {
    return (...args: unknown[]): unknown =>
      this.#record(name, args, () => {
        const inner = this.inner as Record<string, ((...given: unknown[]) => unknown) | undefined> | undefined;
        return inner?.[name]?.(...args);
      });
  }

  #record<Result>(callback: CallbackName, args: readonly unknown[], act: () => Result): Result {
    const { state } = this.connection;
    const call = {
      callback,
      args,
      at: this.#clock.now(),
      state,
      returned: undefined,
      threw: undefined,
      settled: false,
    };
    const recorded = call as unknown as RecordedCall;
    this.calls.push(recorded);
    try {
      const result = act();
      recorded.returned = result;
      if (result instanceof Promise) this.#await(recorded, result);
      else recorded.settled = true;
      return result;
    } catch (error) {
      recorded.threw = error;
      recorded.settled = true;
      throw error;
    } finally {
      this.#line.notify();
    }
  }

  // The caller handles the rejection on its own promise.
  #await(call: RecordedCall, result: Promise<unknown>): void {
    result.then(
      () => {
        call.settled = true;
      },
      (error) => {
        call.threw = error;
        call.settled = true;
      },
    );
  }
}
