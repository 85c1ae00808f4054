/**
 * Owns effects ports that only write down what a chart asked for. Refuses to act on any of it: no event ever comes back
 * from here, so that a test alone decides what happens next.
 */
import type { BackendEffects } from '../../src/actors/backend.effects.js';
import type { PairsFate } from '../../src/actors/backend.js';
import type { ConnectionEffects } from '../../src/actors/connection.effects.js';
import type { Ending } from '../../src/actors/ending.js';
import type { PoolEffects } from '../../src/actors/pool.effects.js';
import type { SupervisorEffects } from '../../src/actors/supervisor.effects.js';
import type { UpstreamEffects } from '../../src/actors/upstream.effects.js';
import type { CloseReport } from '../../src/receivers/index.js';

/** One call of a port: the effect by its name, and the ending or the fate it was given. */
export interface Call {
  readonly effect: string;
  readonly ending: Ending | undefined;
  readonly fate?: PairsFate | undefined;
}

/** Writes a call in words, such as `sendClose(1001 IDLE_TIMEOUT)`. */
export function callInWords({ effect, ending, fate }: Call): string {
  if (fate !== undefined) return `${effect}(${fate})`;
  return ending === undefined ? effect : `${effect}(${ending.code} ${ending.cause})`;
}

/** Keeps the calls of a port in their order. */
export class CallRecorder {
  readonly calls: Call[] = [];

  protected record(effect: string, ending?: Ending, fate?: PairsFate): void {
    this.calls.push({ effect, ending, fate });
  }

  /** A port is no part of a state: without this a walk would see a new state after every call. */
  toJSON(): undefined {
    return undefined;
  }
}

/** Records what a `connection` chart asks for. */
export class FakeConnectionEffects extends CallRecorder implements ConnectionEffects {
  readonly timeouts = { handshake: 300, close: 200, writeStall: 100 };
  decide = () => this.record('decide');
  dial = () => this.record('dial');
  refuse = () => this.record('refuse');
  expireHandshake = () => this.record('expireHandshake');
  acceptUpgrade = () => this.record('acceptUpgrade');
  openGate = () => this.record('openGate');
  shutGate = () => this.record('shutGate');
  pauseReading = () => this.record('pauseReading');
  resumeReading = () => this.record('resumeReading');
  sendPing = () => this.record('sendPing');
  sendClose = (ending: Ending) => this.record('sendClose', ending);
  answerClose = (ending: Ending) => this.record('answerClose', ending);
  finishClose = () => this.record('finishClose');
  terminate = () => this.record('terminate');
  deliverOpen = () => this.record('deliverOpen');
  deliverThrottled = () => this.record('deliverThrottled');
  deliverUnthrottled = () => this.record('deliverUnthrottled');
  deliverClosed = (ending: Ending) => this.record('deliverClosed', ending);

  // The chart asks for its output in a pure step, so that this is no effect and is not recorded.
  report(ending: Ending): CloseReport {
    return {
      initiator: ending.initiator,
      cause: ending.cause,
      status: ending.code,
      reason: ending.reason,
      codeSent: undefined,
      codeReceived: undefined,
      received: { messages: 0, bytes: 0 },
      sent: { messages: 0, bytes: 0 },
      durationMs: 0,
      undeliveredBytes: 0,
      dropped: { messages: 0, bytes: 0 },
    };
  }
}

/** Records what an `upstream` chart asks for. */
export class FakeUpstreamEffects extends CallRecorder implements UpstreamEffects {
  readonly timeouts = { dial: 300, close: 200, writeStall: 100 };
  dial = () => this.record('dial');
  abortDial = () => this.record('abortDial');
  expireDial = () => this.record('expireDial');
  pauseReading = () => this.record('pauseReading');
  resumeReading = () => this.record('resumeReading');
  sendPing = () => this.record('sendPing');
  sendClose = (ending: Ending) => this.record('sendClose', ending);
  answerClose = (ending: Ending) => this.record('answerClose', ending);
  finishClose = () => this.record('finishClose');
  terminate = () => this.record('terminate');
  announceUnreachable = () => this.record('announceUnreachable');
  announceClosed = (ending: Ending) => this.record('announceClosed', ending);
}

/** Records what a `supervisor` chart asks for. */
export class FakeSupervisorEffects extends CallRecorder implements SupervisorEffects {
  readonly timeouts = { drain: 300 };
  /** The errors that were noted. */
  readonly failures: unknown[] = [];
  bindListeners = () => this.record('bindListeners');
  closeListeners = () => this.record('closeListeners');
  startHeartbeat = () => this.record('startHeartbeat');
  stopHeartbeat = () => this.record('stopHeartbeat');
  disconnectAll = () => this.record('disconnectAll');
  drainConnections = () => this.record('drainConnections');
  terminateAll = () => this.record('terminateAll');
  announceStarted = () => this.record('announceStarted');
  announceFailed = () => this.record('announceFailed');
  announceStopped = () => this.record('announceStopped');

  noteFailure(error: unknown): void {
    this.failures.push(error);
    this.record('noteFailure');
  }
}

/** Records what a `backend` chart asks for. */
export class FakeBackendEffects extends CallRecorder implements BackendEffects {
  readonly timeouts = { drain: 300, proving: 50 };
  // The chart asks for a delay in a pure step.
  ejectionTime = () => 200;
  announceReady = () => this.record('announceReady');
  announceDraining = () => this.record('announceDraining');
  meetFate = (fate: PairsFate) => this.record('meetFate', undefined, fate);
  lookForPairs = () => this.record('lookForPairs');
  announceUnhealthy = () => this.record('announceUnhealthy');
  announceEjected = () => this.record('announceEjected');
  beginTrial = () => this.record('beginTrial');
  announceHealthy = () => this.record('announceHealthy');
  terminatePairs = () => this.record('terminatePairs');
  announceGone = () => this.record('announceGone');
}

/** Records what a `pool` chart asks for. */
export class FakePoolEffects extends CallRecorder implements PoolEffects {
  serveWaiting = () => this.record('serveWaiting');
  refuseWaiting = () => this.record('refuseWaiting');
}
