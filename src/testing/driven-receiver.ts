/**
 * Owns the hand of a test between a connection and the receiver under test: it holds the decision, and fails or lets an idle connection go
 * when the path says so. Everything else it hands on. Refuses to choose.
 */
import type { Connection, LifecycleReceiver, UpgradeAnswer, UpgradeRequest } from '../receivers/index.js';
import { type RecordingOptions, RecordingReceiver } from './recording-receiver.js';

/** What becomes of a handshake: what the receiver says, or what the path does. */
type Verdict = 'as the receiver says' | 'rejected' | 'failed';

const FAILURE = 'the path says that the receiver fails here';

/** A receiver around the one under test. */
export class DrivenReceiver<Inner extends LifecycleReceiver> extends RecordingReceiver<Inner> {
  /** What becomes of the connection when it is idle the next time. */
  whenIdle: 'keep' | 'expire' | 'fail' = 'keep';
  /** What the receiver answered to the handshake; undefined before it was told. */
  answer: UpgradeAnswer | undefined;
  /** What the receiver itself did about reading, and nobody looked at yet. */
  #moves: Array<'read.pause' | 'read.resume'> = [];
  #decide: (verdict: Verdict) => void = () => {};
  readonly #decided = new Promise<Verdict>((resolve) => {
    this.#decide = resolve;
  });

  constructor(inner: Inner, options: RecordingOptions) {
    super(inner, options);
    const { onIdleTimeout } = this;
    this.onIdleTimeout = () => {
      if (this.whenIdle === 'fail') throw new Error(FAILURE);
      onIdleTimeout?.call(this);
      return this.whenIdle === 'keep';
    };
  }

  declare onIdleTimeout?: () => boolean | void;

  takeMoves(): ReadonlyArray<'read.pause' | 'read.resume'> {
    const moves = this.#moves;
    this.#moves = [];
    return moves;
  }

  override attach(connection: Connection): void {
    this.connection = connection;
    this.inner?.attach?.(this.#observed(connection));
  }

  decide(verdict: Verdict): void {
    this.#decide(verdict);
  }

  /** Whether something threw that was not meant to. */
  static isMeant(error: unknown): boolean {
    return error instanceof Error && error.message === FAILURE;
  }

  /** The same connection for the receiver under test, so that its own pauses are known from those of the path. */
  #observed(connection: Connection): Connection {
    return new Proxy(connection, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (key === 'pause' || key === 'resume') this.#moves.push(`read.${key}`);
          return value.apply(target, args);
        };
      },
    });
  }

  override async onUpgradeRequest(request: UpgradeRequest): Promise<UpgradeAnswer> {
    const asked = super.onUpgradeRequest(request);
    const [verdict, answer] = await Promise.all([this.#decided, asked]);
    this.answer = answer;
    if (verdict === 'failed') throw new Error(FAILURE);
    return verdict === 'rejected' ? false : answer;
  }
}
