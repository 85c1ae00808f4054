/**
 * Owns one connection to a target at run time: its chart and what its ends mean for the connection it is paired with.
 * Refuses to touch sockets; the port does.
 */
import type { AnyActorRef, AnyEventObject, StateValue } from 'xstate';
import { CloseIndicator, type CloseStatus } from '../receivers/index.js';
import type { Chained } from './chain.js';
import { ChartActor } from './chart-actor.js';
import { compileChart } from './compiled-chart.js';
import type { Refusal } from './connection.effects.js';
import type { Counterpart } from './connection.host.js';
import type { ConnectionActor } from './connection-actor.js';
import { closedBy, cut, type Ending, relayed } from './ending.js';
import type { Beating, HeartWatch } from './heartbeat.js';
import { Outbox, outboxObserver } from './outbox.js';
import type { Pairing } from './pairing.js';
import { isProbing } from './regions.js';
import type { UpstreamEffects, UpstreamTimeouts } from './upstream.effects.js';
import { type UpstreamEvent, upstreamMachine } from './upstream.machine.js';
import type { UpstreamPort } from './upstream.port.js';

/** What an upstream actor tells the server it belongs to. Nothing in it may throw. */
export interface UpstreamHost {
  readonly upstreamTimeouts: UpstreamTimeouts;
  upstreamOpened(upstream: UpstreamActor): void;
  upstreamGone(upstream: UpstreamActor): void;
  /** Its chart took a step; `before` is undefined for the first one. */
  upstreamStepped(upstream: UpstreamActor, event: AnyEventObject, before: StateValue | undefined): void;
  upstreamFault(upstream: UpstreamActor, error: unknown): void;
}

const upstreamChart = compileChart(upstreamMachine, outboxObserver);

/** One connection to a target. */
export class UpstreamActor implements UpstreamEffects, Counterpart, Beating, Chained<UpstreamActor> {
  before: UpstreamActor | undefined;
  behind: UpstreamActor | undefined;
  readonly timeouts: UpstreamTimeouts;
  /** The downstream connection this upstream serves. */
  readonly connection: ConnectionActor;
  port!: UpstreamPort;
  /** The target may be read. Written by the chart only. */
  reading = true;
  heart: HeartWatch | undefined;
  pairing: Pairing | undefined;

  /** When it was asked for: milliseconds of the monotonic clock. */
  readonly beganAt = performance.now();
  readonly #host: UpstreamHost;
  readonly chart: ChartActor<typeof upstreamMachine>;
  readonly outbox = new Outbox();
  #refusal: Refusal | undefined;
  #codeSent: CloseStatus | undefined;
  #closeReceived = false;

  constructor(options: { connection: ConnectionActor; host: UpstreamHost; parent: AnyActorRef }) {
    this.connection = options.connection;
    this.#host = options.host;
    this.timeouts = options.host.upstreamTimeouts;
    this.chart = new ChartActor(upstreamChart, this, options.parent);
  }

  /** Begins to dial; `port` must be set. */
  start(): void {
    this.outbox.around(() => this.chart.start());
  }

  /** That of its connection: `upstream-1` belongs to `conn-1`. Made when asked for, which is seldom. */
  get id(): string {
    return this.connection.id.replace('conn', 'upstream');
  }

  toJSON(): undefined {
    return undefined;
  }

  /** Why it could not be reached; undefined before that is known. */
  get refusal(): Refusal | undefined {
    return this.#refusal;
  }

  get chartValue(): StateValue {
    return this.chart.value;
  }

  get #isOpen(): boolean {
    return typeof this.chartValue === 'object';
  }

  // What the shell and the data path tell.

  dialled(): void {
    this.send({ type: 'dial.succeeded' });
    if (this.#isOpen) {
      this.#host.upstreamOpened(this);
      this.connection.upstreamReady();
    }
  }

  dialFailed(refusal: Refusal): void {
    this.#refusal ??= refusal;
    this.send({ type: 'dial.failed' });
  }

  onThrottled(): void {
    this.send({ type: 'pressure.high' });
  }

  onUnthrottled(): void {
    this.send({ type: 'pressure.low' });
  }

  /** The target's Close frame arrived, or the FIN of a TCP target, behind everything before it. */
  onPeerClose(code: CloseStatus, reason: string): void {
    const ending = closedBy('upstream', code, reason);
    this.#closeReceived = true;
    this.send({ type: 'peer.closed', ending });
    this.connection.close(ending);
  }

  onViolation(ending: Ending): void {
    this.send({ type: 'protocol.violated', ending });
    this.connection.close({ ...ending, code: 1011 });
  }

  onClosed(): void {
    this.send({ type: 'transport.closed', ending: cut('upstream', 'UPSTREAM_LOST') });
  }

  hold(): void {
    this.send({ type: 'read.pause' });
  }

  release(): void {
    this.send({ type: 'read.resume' });
  }

  // What the paired connection asks for.

  get answersClose(): boolean {
    return this.port.speaksWebSocket && (this.#isOpen || this.chartValue === 'closing');
  }

  close(ending: Ending): void {
    this.send({ type: 'close.request', ending: relayed(ending) });
  }

  requestTerminate(ending: Ending): void {
    this.send({ type: 'terminate.request', ending });
  }

  /** The code in our Close frame, 1005 for none in it; undefined before there is one. */
  get codeSent(): CloseStatus | undefined {
    return this.#codeSent;
  }

  /** The target's Close frame arrived, or its FIN. */
  get closeReceived(): boolean {
    return this.#closeReceived;
  }

  get roundTripMs(): number | undefined {
    return this.port.roundTripMs;
  }

  /** True while a ping of the heartbeat waits for a sign of life. */
  get probing(): boolean {
    return isProbing(this.chartValue);
  }

  send(event: UpstreamEvent): void {
    if (this.chart.active) this.outbox.around(() => this.chart.send(event));
  }

  stepped(event: AnyEventObject, before: StateValue | undefined): void {
    this.#host.upstreamStepped(this, event, before);
  }

  // The effects of the chart.

  dial(): void {
    this.port.dial();
  }

  abortDial(): void {
    this.port.abortDial();
  }

  expireDial(): void {
    this.#refusal ??= {
      status: 504,
      error: 'UPSTREAM_TIMEOUT',
      message: `the target did not answer within ${this.timeouts.dial} ms`,
    };
  }

  pauseReading(): void {
    this.reading = false;
    this.port.stopReading();
  }

  resumeReading(): void {
    this.reading = true;
    this.outbox.push(() => this.port.read());
  }

  sendPing(): void {
    this.port.sendHeartbeat();
  }

  sendClose(ending: Ending): void {
    // The target began: its answer is the client's, and comes through `answerClose`.
    if (ending.initiator === 'upstream' && ending.cause === 'closed') return;
    this.#writeClose(ending);
  }

  answerClose(ending: Ending): void {
    this.#writeClose(ending);
    if (this.#closeReceived) this.port.end();
  }

  finishClose(): void {
    if (this.#codeSent !== undefined) this.port.end();
  }

  terminate(): void {
    this.port.terminate();
  }

  announceUnreachable(): void {
    this.outbox.push(() => {
      this.#host.upstreamGone(this);
      this.port.over(undefined, this.#refusal);
      this.connection.upstreamFailed(
        this.#refusal ?? { status: 502, error: 'UPSTREAM_REFUSED', message: 'the dial was given up' },
      );
    });
  }

  announceClosed(ending: Ending): void {
    this.outbox.push(() => {
      this.#host.upstreamGone(this);
      this.port.over(ending);
      const told = ending.code === CloseIndicator.Abnormal ? this.port.lossEnding() : undefined;
      this.connection.close({ ...(told ?? relayed(ending)), initiator: 'upstream' });
    });
  }

  /** An effect threw, which none may: second line behind the guards. The pair ends, and the server forgets this side. */
  crashed(error: unknown): void {
    this.#host.upstreamFault(this, error);
    this.port.terminate();
    this.announceClosed(cut('upstream', 'UPSTREAM_LOST'));
    this.outbox.settle();
  }

  #writeClose(ending: Ending): void {
    if (this.#codeSent !== undefined) return;
    this.#codeSent = ending.code;
    this.port.sendClose(ending.code, ending.reason);
  }
}
