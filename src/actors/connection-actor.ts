/**
 * Owns one downstream connection at run time: its chart, and the flags that the data path reads. It is itself a
 * LifecycleReceiver: the data path speaks to it, and it hands on to the application. Refuses to touch sockets.
 */
import type { AnyEventObject, StateValue } from 'xstate';
import {
  CloseCode,
  type CloseReport,
  type CloseStatus,
  type Connection,
  type ConnectionState,
  type LifecycleReceiver,
  type Principal,
  type UpgradeRequest,
} from '../receivers/index.js';
import { whenSettled } from './callback-queue.js';
import { ChartActor } from './chart-actor.js';
import { ClosingHandshake } from './closing-handshake.js';
import { compileChart } from './compiled-chart.js';
import type { ConnectionEffects, ConnectionTimeouts, Refusal } from './connection.effects.js';
import type { ConnectionHost, ConnectionParts, Counterpart, Seat } from './connection.host.js';
import { type ConnectionEvent, connectionMachine } from './connection.machine.js';
import { type ConnectionControls, ConnectionHandle } from './connection-handle.js';
import { Deciding } from './deciding.js';
import type { DownstreamPort } from './downstream.port.js';
import { closedBy, cut, type Ending, failure } from './ending.js';
import { GuardedReceiver } from './guarded-receiver.js';
import type { Beating, HeartWatch } from './heartbeat.js';
import type { History } from './history.js';
import type { LongWaits } from './long-waits.js';
import { Outbox, outboxObserver } from './outbox.js';
import { Reading } from './reading.js';
import { downstreamGone, receiverFailure, shuttingDown } from './refusals.js';
import { isProbing } from './regions.js';

const connectionChart = compileChart(connectionMachine, outboxObserver);

/** One downstream connection. */
export class ConnectionActor extends GuardedReceiver implements ConnectionEffects, ConnectionControls, Beating {
  readonly id: string;
  readonly request: UpgradeRequest;
  /** What the application holds. */
  readonly handle: Connection;
  readonly timeouts: ConnectionTimeouts;
  /** The channels it joined; the registry keeps them, and makes the set when there is one. */
  channels: Set<string> | undefined;
  port!: DownstreamPort;
  counterpart: Counterpart | undefined;
  throttled = false;
  principal: Principal | undefined;
  seat: Seat | undefined;
  heart: HeartWatch | undefined;
  waits: LongWaits | undefined;
  history: History | undefined;
  /** Milliseconds since the epoch. */
  openedAt: number | undefined;
  readonly #host: ConnectionHost<ConnectionActor>;
  readonly chart: ChartActor<typeof connectionMachine>;
  readonly outbox = new Outbox();
  deciding: Deciding | undefined;
  readonly closing = new ClosingHandshake(this);
  readonly reading = new Reading(this);

  constructor(options: ConnectionParts<ConnectionActor>) {
    super(options.host.maxPendingMessages, options.host.clock);
    this.id = options.id;
    this.request = options.request;
    this.#host = options.host;
    this.timeouts = options.timeouts ?? options.host.timeouts;
    this.handle = new ConnectionHandle(this);
    this.deciding = new Deciding(this, options.createReceiver, options.admission);
    this.chart = new ChartActor(connectionChart, this, options.parent);
  }

  /** Begins the life of the connection; `port` must be set. */
  start(): void {
    this.outbox.around(() => this.chart.start());
  }

  /** Hides sockets from whoever prints the context. */
  toJSON(): void {}

  get state(): ConnectionState {
    const value = this.chartValue;
    return (typeof value === 'string' ? value : Object.keys(value)[0]) as ConnectionState;
  }

  get chartValue(): StateValue {
    return this.chart.value;
  }

  // What the server, the pair and the application ask for.

  /** Asks for a close, or passes on the answer of the other side of the pair to the peer's Close frame. */
  close(ending: Ending): void {
    this.deciding?.refuse(shuttingDown);
    // The peer has begun already, and its answer is on its way.
    if (this.closing.peerClosed && ending.initiator !== 'upstream') return;
    this.send({ type: 'close.request', ending });
  }

  requestTerminate(ending: Ending): void {
    this.deciding?.refuse(shuttingDown);
    this.send({ type: 'terminate.request', ending });
  }

  upstreamReady(): void {
    this.send({ type: 'upstream.ready' });
    this.reading.release('dialling');
  }

  upstreamFailed(refusal: Refusal): void {
    this.deciding?.refuse(refusal);
    this.send({ type: 'upstream.failed', error: refusal.error });
  }

  renew(principal: Principal): void {
    this.principal = principal;
    if (this.gate) this.#host.renewed(this);
  }

  subscribe(channel: string): void {
    if (this.chart.active) this.#host.registry.join(channel, this);
  }

  unsubscribe(channel: string): void {
    this.#host.registry.leave(channel, this);
  }

  expireIdle(): void {
    if (this.gate && !this.onIdleTimeout()) this.send({ type: 'idle.expired' });
  }

  // What the data path tells, beside the messages.

  onThrottled(): void {
    this.send({ type: 'pressure.high' });
  }

  onUnthrottled(): void {
    this.send({ type: 'pressure.low' });
  }

  /** The peer's Close frame arrived, behind every message before it. */
  onPeerClose(code: CloseStatus, reason: string): void {
    const ending = closedBy('downstream', code, reason);
    this.#afterMessages(() => {
      this.closing.noteReceived(code, reason);
      this.send({ type: 'peer.closed', ending });
      this.counterpart?.close(ending);
    });
  }

  onViolation(ending: Ending): void {
    this.#afterMessages(() => {
      this.closing.noteUnreadable();
      this.send({ type: 'protocol.violated', ending });
    });
  }

  /** The transport is gone. */
  onClosed(_status: CloseStatus, _reason: string): void {
    const gone = () => {
      this.deciding?.refuse(downstreamGone);
      this.send({ type: 'transport.closed', ending: cut('downstream') });
    };
    // Before the 101 there are no messages, and the decision that is pending is what this has to abort.
    if (this.state === 'handshaking') gone();
    else this.#afterMessages(gone);
  }

  /** True while a ping of the heartbeat waits for a sign of life. */
  get probing(): boolean {
    return isProbing(this.chartValue);
  }

  send(event: ConnectionEvent): void {
    if (this.chart.active) this.outbox.around(() => this.chart.send(event));
  }

  stepped(event: AnyEventObject, before: StateValue | undefined): void {
    this.#host.stepped(this, event, before);
  }

  // The effects of the chart; what calls others waits in the outbox.

  decide(): void {
    this.outbox.push(() => this.deciding?.begin());
  }

  adopt(receiver: LifecycleReceiver): void {
    this.receiver = receiver;
    receiver.attach?.(this.handle);
  }

  dial(): void {
    this.outbox.push(() => this.port.dial());
  }

  refuse(): void {
    const refusal = this.deciding?.refusal ?? downstreamGone;
    this.port.refuse(refusal);
    this.outbox.push(() => {
      this.counterpart?.close(failure('proxy', refusal.error, CloseCode.GoingAway));
      this.callbacks.finish(() => {}, 0);
      this.#host.rejected(this, refusal);
    });
  }

  expireHandshake(): void {
    this.deciding?.expire();
  }

  acceptUpgrade(): void {
    this.openedAt = Date.now();
    this.deciding = undefined;
    this.port.accept();
  }

  openGate(): void {
    this.gate = true;
  }

  shutGate(): void {
    this.gate = false;
  }

  pauseReading(): void {
    this.reading.pause();
  }

  resumeReading(): void {
    this.outbox.push(() => this.reading.resume());
  }

  sendPing(): void {
    this.outbox.push(() => {
      if (this.gate && !this.onBeforeHeartbeat()) this.port.sendHeartbeat();
    });
  }

  sendClose(ending: Ending): void {
    const began = this.closing.send(ending, this.counterpart?.answersClose ?? false);
    const ours = ending.initiator !== 'downstream' && ending.initiator !== 'upstream';
    if (began && ours) this.outbox.push(() => this.counterpart?.close(ending));
  }

  answerClose(ending: Ending): void {
    this.closing.answer(ending);
  }

  finishClose(): void {
    this.closing.finish();
  }

  terminate(): void {
    this.closing.cut();
  }

  deliverOpen(): void {
    this.outbox.push(() => {
      this.#host.opened(this);
      this.reading.opened();
      whenSettled(this.onOpen(this.request), () => this.reading.start());
    });
  }

  deliverThrottled(): void {
    this.throttled = true;
    this.outbox.push(() => this.callbacks.run(() => this.receiver.onThrottled(), undefined));
  }

  deliverUnthrottled(): void {
    this.throttled = false;
    this.outbox.push(() => this.callbacks.run(() => this.receiver.onUnthrottled(), undefined));
  }

  deliverClosed(ending: Ending): void {
    this.throttled = false;
    const report = this.report(ending);
    this.outbox.push(() => {
      this.counterpart?.close(ending);
      this.callbacks.finish(() => {
        try {
          return this.receiver.onClosed(report.status, report.reason);
        } finally {
          this.#host.closed(this, report);
        }
      }, this.timeouts.close);
    });
  }

  report(ending: Ending): CloseReport {
    return this.closing.report(ending, this.openedAt);
  }

  override failed(error: unknown): void {
    this.#host.exception(this, error);
    this.deciding?.refuse(receiverFailure(error));
    this.send({ type: 'receiver.failed' });
  }

  override backlog(high: boolean): void {
    this.reading.backlog(high, this.counterpart);
  }

  /** An effect threw, which none may: second line behind the guards. The connection ends, and no other. */
  crashed(error: unknown): void {
    this.#host.exception(this, error);
    this.gate = false;
    this.port.terminate();
    if (this.openedAt === undefined) this.#host.rejected(this, receiverFailure(error));
    else this.deliverClosed(failure('proxy', 'RECEIVER_FAILED', CloseCode.InternalError));
    this.outbox.settle();
  }

  #afterMessages(call: () => void): void {
    this.callbacks.whenDone(call, this.timeouts.close);
  }
}
