/**
 * Owns one downstream connection at run time: its chart, and the flags that the data path reads. It is itself a
 * LifecycleReceiver: the data path speaks to it, and it hands on to the application. Refuses to touch sockets.
 */
import { type ActorRefFrom, type AnyActorRef, createActor } from 'xstate';
import {
  type Acceptance,
  CloseCode,
  type CloseReport,
  type CloseStatus,
  type Connection,
  type ConnectionState,
  type LifecycleReceiver,
  type UpgradeAnswer,
  type UpgradeRequest,
} from '../receivers/index.js';
import { isPromise } from './callback-queue.js';
import type { ConnectionEffects, ConnectionTimeouts, Refusal } from './connection.effects.js';
import { type ConnectionEvent, connectionMachine } from './connection.machine.js';
import { type ConnectionControls, ConnectionHandle } from './connection-handle.js';
import { deadline } from './deadline.js';
import type { DownstreamPort } from './downstream.port.js';
import { closedBy, cut, type Ending, failure, reportedStatus } from './ending.js';
import { GuardedReceiver } from './guarded-receiver.js';
import type { Heart } from './heartbeat.js';
import { Outbox } from './outbox.js';
import {
  decisionOf,
  decisionTimeout,
  downstreamGone,
  receiverFailure,
  rejectionRefusal,
  shuttingDown,
  upstreamTimeout,
} from './refusals.js';

/** What a connection actor tells the server it belongs to. Nothing in it may throw. */
export interface ConnectionHost {
  readonly timeouts: ConnectionTimeouts;
  readonly maxPendingMessages: number;
  opened(connection: ConnectionActor): void;
  rejected(connection: ConnectionActor, refusal: Refusal): void;
  closed(connection: ConnectionActor, report: CloseReport): void;
  /** A callback threw or rejected. */
  exception(connection: ConnectionActor, error: unknown): void;
  joined(connection: ConnectionActor, channel: string): void;
  left(connection: ConnectionActor, channel: string): void;
}

/** The other side of a pair, as a connection sees it. */
export interface Counterpart {
  /** True while it can still answer a Close frame that is passed on to it. */
  readonly answersClose: boolean;
  /** This side began to end, answered, or is gone. May be called more than once. */
  close(ending: Ending): void;
  /** Callbacks are behind: read no further until `release`. */
  hold(): void;
  release(): void;
}

/** Why reading is paused; it goes on when no reason is left. */
type PauseReason = 'application' | 'backlog' | 'dialling';

/** One downstream connection. */
export class ConnectionActor extends GuardedReceiver implements ConnectionEffects, ConnectionControls, Heart {
  readonly id: string;
  readonly request: UpgradeRequest;
  /** What the application holds. */
  readonly handle: Connection;
  readonly timeouts: ConnectionTimeouts;
  readonly channels = new Set<string>();
  port!: DownstreamPort;
  counterpart: Counterpart | undefined;
  /** The client may be read. Written by the chart only. */
  reading = true;
  throttled = false;
  openedAt: Date | undefined;

  readonly #host: ConnectionHost;
  readonly #chart: ActorRefFrom<typeof connectionMachine>;
  readonly #outbox = new Outbox();
  readonly #pauseReasons = new Set<PauseReason>();
  #readyToRead = false;
  #acceptance: Acceptance | undefined;
  #refusal: Refusal | undefined;
  #codeSent: CloseStatus | undefined;
  #closeReceived: { code: CloseStatus; reason: string } | undefined;

  constructor(options: {
    id: string;
    request: UpgradeRequest;
    receiver: LifecycleReceiver;
    host: ConnectionHost;
    parent?: AnyActorRef;
  }) {
    super(options.receiver, options.host.maxPendingMessages);
    this.id = options.id;
    this.request = options.request;
    this.#host = options.host;
    this.timeouts = options.host.timeouts;
    this.handle = new ConnectionHandle(this);
    this.#chart = createActor(connectionMachine, { id: options.id, input: { port: this }, parent: options.parent });
  }

  /** Begins the life of the connection; `port` must be set. */
  start(): void {
    this.#chart.subscribe({
      next: () => this.#outbox.settle(),
      error: (error) => this.#host.exception(this, error),
    });
    this.#outbox.around(() => {
      this.ask(() => this.receiver.attach?.(this.handle));
      this.#chart.start();
      // A receiver that failed in `attach` has ended the connection before it began.
      if (this.#refusal !== undefined) this.#chart.send({ type: 'receiver.failed' });
    });
  }

  /** Hides sockets and buffers from whoever prints the context of the chart. */
  toJSON(): undefined {
    return undefined;
  }

  get state(): ConnectionState {
    const { value } = this.#chart.getSnapshot();
    return (typeof value === 'string' ? value : Object.keys(value)[0]) as ConnectionState;
  }

  /** The full value of the chart. */
  get chartValue(): unknown {
    return this.#chart.getSnapshot().value;
  }

  // What the server, the pair and the application ask for.

  /** Asks for a close, or passes on the answer of the other side of the pair to the peer's Close frame. */
  close(ending: Ending): void {
    this.#refusal ??= shuttingDown;
    // The peer has begun already, and its answer is on its way.
    if (this.#closeReceived !== undefined && ending.initiator !== 'upstream') return;
    this.send({ type: 'close.request', ending });
  }

  requestTerminate(ending: Ending): void {
    this.#refusal ??= shuttingDown;
    this.send({ type: 'terminate.request', ending });
  }

  upstreamReady(): void {
    this.send({ type: 'upstream.ready' });
    this.release('dialling');
  }

  upstreamFailed(refusal: Refusal): void {
    this.#refusal ??= refusal;
    this.send({ type: 'upstream.failed', error: refusal.error });
  }

  hold(reason: PauseReason): void {
    const first = this.#pauseReasons.size === 0;
    this.#pauseReasons.add(reason);
    if (first) this.send({ type: 'read.pause' });
  }

  release(reason: PauseReason): void {
    if (this.#pauseReasons.delete(reason) && this.#pauseReasons.size === 0) this.send({ type: 'read.resume' });
  }

  subscribe(channel: string): void {
    if (this.state === 'closed' || this.state === 'rejected' || this.channels.has(channel)) return;
    this.channels.add(channel);
    this.#host.joined(this, channel);
  }

  unsubscribe(channel: string): void {
    if (this.channels.delete(channel)) this.#host.left(this, channel);
  }

  expireIdle(): void {
    if (this.ask(() => this.receiver.onIdleTimeout?.()) !== true) this.send({ type: 'idle.expired' });
  }

  expireLifetime(): void {
    this.send({ type: 'lifetime.expired' });
  }

  // What the data path tells, beside the messages: the ends that only a wire knows.

  onThrottled(): void {
    this.send({ type: 'pressure.high' });
  }

  onUnthrottled(): void {
    this.send({ type: 'pressure.low' });
  }

  /** The peer's Close frame arrived, behind every message before it. */
  onPeerClose(code: CloseStatus, reason: string): void {
    this.#afterCallbacks(() => {
      this.#closeReceived ??= { code, reason };
      this.send({ type: 'peer.closed', ending: closedBy('downstream', code, reason) });
      this.counterpart?.close(closedBy('downstream', code, reason));
    });
  }

  onViolation(ending: Ending): void {
    this.#afterCallbacks(() => this.send({ type: 'protocol.violated', ending }));
  }

  /** The transport is gone. */
  onClosed(_status: CloseStatus, _reason: string): void {
    this.#afterCallbacks(() => {
      this.#refusal ??= downstreamGone;
      this.send({ type: 'transport.closed', ending: cut('downstream') });
    });
  }

  // The heart, as the heartbeat sees it.

  heard(): number {
    return this.port.bytesRead;
  }

  deaf(): boolean {
    return this.port.takeDeafness();
  }

  probing(): boolean {
    return this.#chart.getSnapshot().matches({ open: { liveness: 'probing' } });
  }

  send(event: ConnectionEvent): void {
    if (this.#chart.getSnapshot().status === 'active') this.#outbox.around(() => this.#chart.send(event));
  }

  // The effects of the chart.

  decide(): void {
    this.#outbox.push(() => {
      const answer = this.onUpgradeRequest(this.request);
      if (isPromise(answer)) answer.then((settled: UpgradeAnswer) => this.#decided(settled));
      else this.#decided(answer);
    });
  }

  dial(): void {
    this.#outbox.push(() => this.port.dial());
  }

  refuse(): void {
    const refusal = this.#refusal ?? downstreamGone;
    this.port.refuse(refusal);
    this.#outbox.push(() => {
      this.counterpart?.close(failure('proxy', refusal.error, CloseCode.GoingAway));
      this.callbacks.finish(() => {}, 0);
      this.#host.rejected(this, refusal);
    });
  }

  expireHandshake(): void {
    this.#refusal = this.#acceptance === undefined ? decisionTimeout : upstreamTimeout;
  }

  acceptUpgrade(): void {
    this.openedAt = new Date();
    this.port.accept();
  }

  openGate(): void {
    this.gate = true;
  }

  shutGate(): void {
    this.gate = false;
  }

  pauseReading(): void {
    this.reading = false;
    this.port.stopReading();
  }

  resumeReading(): void {
    this.reading = true;
    this.#outbox.push(() => this.#read());
  }

  sendPing(): void {
    this.#outbox.push(() => {
      if (this.ask(() => this.receiver.onBeforeHeartbeat?.()) !== true) this.port.sendHeartbeat();
    });
  }

  sendClose(ending: Ending): void {
    if (ending.initiator === 'downstream' && this.counterpart?.answersClose) return;
    this.#writeClose(ending.code, ending.reason);
    if (ending.initiator === 'downstream') this.port.end();
    else if (ending.initiator !== 'upstream') this.#outbox.push(() => this.counterpart?.close(ending));
  }

  answerClose(ending: Ending): void {
    this.#writeClose(ending.code, ending.reason);
    if (this.#closeReceived !== undefined) this.port.end();
  }

  finishClose(): void {
    if (this.#codeSent !== undefined) this.port.end();
  }

  terminate(): void {
    // A peer that began the closing handshake gets its answer even when the target never gave one.
    if (this.#closeReceived !== undefined) this.#writeClose(this.#closeReceived.code, '');
    this.port.terminate();
  }

  deliverOpen(): void {
    this.#outbox.push(() => {
      this.#host.opened(this);
      // A reason to pause that came up before there was anything to pause.
      if (this.#pauseReasons.size > 0) this.send({ type: 'read.pause' });
      const opening = this.onOpen(this.request);
      if (isPromise(opening)) opening.then(() => this.#startReading());
      else this.#startReading();
    });
  }

  deliverThrottled(): void {
    this.throttled = true;
    this.#outbox.push(() => this.callbacks.run(() => this.receiver.onThrottled(), undefined));
  }

  deliverUnthrottled(): void {
    this.throttled = false;
    this.#outbox.push(() => this.callbacks.run(() => this.receiver.onUnthrottled(), undefined));
  }

  deliverClosed(ending: Ending): void {
    this.throttled = false;
    const report = this.report(ending);
    this.#outbox.push(() => {
      this.counterpart?.close(ending);
      this.callbacks.finish(() => {
        const closed = this.receiver.onClosed(report.status, report.reason);
        this.#host.closed(this, report);
        return closed;
      }, this.timeouts.close);
    });
  }

  report(ending: Ending): CloseReport {
    return {
      initiator: ending.initiator,
      cause: ending.cause,
      ...reportedStatus(ending, this.#closeReceived),
      codeSent: this.#codeSent,
      codeReceived: this.#closeReceived?.code,
      received: this.port.received,
      sent: this.port.sent,
      durationMs: this.openedAt === undefined ? 0 : Date.now() - this.openedAt.getTime(),
      undeliveredBytes: this.port.bufferedBytes,
    };
  }

  protected override receiverFailed(error: unknown): void {
    this.#host.exception(this, error);
    this.#refusal ??= receiverFailure(error);
    this.send({ type: 'receiver.failed' });
  }

  protected override backlog(high: boolean): void {
    if (high) {
      this.hold('backlog');
      this.counterpart?.hold();
    } else {
      this.release('backlog');
      this.counterpart?.release();
    }
  }

  #decided(answer: UpgradeAnswer): void {
    if (this.state !== 'handshaking' || this.#refusal !== undefined) return;
    try {
      const decision = decisionOf(answer);
      const plan = decision.kind === 'reject' ? rejectionRefusal(decision) : this.port.plan(decision);
      if ('status' in plan) {
        this.#refusal = plan;
        this.send({ type: 'decision.reject' });
        return;
      }
      if (decision.kind === 'accept') this.#acceptance = decision;
      // The chart enters `open` with reading paused in this case; it goes on when the upstream is there.
      if (plan.dial === 'after-accept') this.#pauseReasons.add('dialling');
      this.send({ type: 'decision.accept', dial: plan.dial });
    } catch (error) {
      this.receiverFailed(error);
    }
  }

  #startReading(): void {
    this.#readyToRead = true;
    this.#read();
  }

  #read(): void {
    if (this.reading && this.#readyToRead) this.port.read();
  }

  /** Runs when every message that came before was dealt with, but not later than the close deadline. */
  #afterCallbacks(call: () => void): void {
    if (!this.busy) {
      call();
      return;
    }
    const once = () => {
      clearTimeout(timer);
      call();
      call = () => {};
    };
    const timer = setTimeout(once, deadline(this.timeouts.close));
    this.callbacks.run(once, undefined);
  }

  #writeClose(code: CloseStatus, reason: string): void {
    if (this.#codeSent !== undefined) return;
    this.#codeSent = code;
    this.port.sendClose(code, reason);
  }
}
