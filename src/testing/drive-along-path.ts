/**
 * Owns going a path of the chart `connection` with a real connection in memory and an application's own receiver: each event becomes what
 * a client, a target, an operator or time would do, and after each the connection has to be where the chart says. Refuses to invent paths.
 */
import { AssertionError } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';
import type { Connection, LifecycleReceiver, UpgradeRequest } from '../receivers/index.js';
import { type ConnectionPath, eventInWords, Oracle } from './connection-paths.js';
import { Driving } from './driving.js';
import type { MemoryClient } from './memory-client.js';
import type { MemoryConnectOptions, MemoryServer, MemoryServerOptions } from './memory-server.js';
import { pairingFault } from './pairing-fault.js';
import type { RecordedCall, RecordingReceiver } from './recording-receiver.js';
import type { SimulatedClock } from './simulated-clock.js';

/** A connection that is driven, as a test may look at it. */
export interface Driven<Receiver extends LifecycleReceiver = LifecycleReceiver> {
  readonly connection: Connection;
  readonly client: MemoryClient;
  readonly server: MemoryServer;
  readonly clock: SimulatedClock;
  /** The receiver under test. */
  readonly receiver: Receiver;
  /** What was called of it. */
  readonly recording: RecordingReceiver<Receiver>;
}

/** One step that was taken. */
export interface DrivenStep {
  /** In words. */
  readonly event: string;
  /** The value of the chart afterwards. */
  readonly chart: unknown;
  /** The callbacks that were called in it. */
  readonly calls: readonly RecordedCall[];
}

/** How a receiver is driven. */
export interface DriveOptions<Receiver extends LifecycleReceiver = LifecycleReceiver>
  extends Omit<MemoryServerOptions, 'clock' | 'timeouts' | 'heartbeat' | 'connectUpstream' | 'targetManners'> {
  /** How the client connects. */
  readonly request?: MemoryConnectOptions | undefined;
  /**
   * Called after each step with which the connection is open and no ping waits for a sign of life: a place for messages. It has to leave
   * the connection where it is.
   */
  readonly talk?: ((driven: Driven<Receiver>) => void | Promise<void>) | undefined;
  /** Called after each step: a place for what has to hold of the receiver. A throw fails the drive. */
  readonly check?: ((driven: Driven<Receiver>, step: DrivenStep) => void | Promise<void>) | undefined;
}

/**
 * Drives a receiver along a path, without waiting for any deadline. Its decision is held until the path says what it is: where the path
 * goes on after `decision.accept` the receiver itself has to accept. Where the path says `receiver.failed` it fails on behalf of the
 * receiver. A receiver may pause and resume reading on the way: the chart follows. A path whose next event cannot come about then, such as
 * a Close frame that is not read, is at its end.
 *
 * @returns the steps, for whoever wants to look at them.
 * @throws AssertionError that shows the steps so far, when the connection is not where the chart says, or a callback came that may not.
 */
export async function driveAlongPath<Receiver extends LifecycleReceiver>(
  path: ConnectionPath,
  receiver: (request: UpgradeRequest) => Receiver,
  { talk, check, ...options }: DriveOptions<Receiver> = {},
): Promise<DrivenStep[]> {
  const steps: DrivenStep[] = [];
  const driving = await Driving.begin(path, receiver, options);
  const fail = (message: string): AssertionError => new AssertionError({ message: `${message}\n${inWords(steps)}` });
  try {
    const oracle = new Oracle();
    const follow = (): unknown => {
      for (const type of driving.recording.takeMoves()) oracle.happen({ type });
      return oracle.value;
    };
    for (const event of path.events) {
      if (oracle.excludes(event, driving.dial)) break;
      oracle.happen(event);
      const before = driving.recording.calls.length;
      await driving.happen(event);
      const reached = await driving.until(() => isDeepStrictEqual(driving.chart, follow()));
      const { chart } = driving;
      const calls = driving.recording.calls.slice(before);
      const step = { event: eventInWords(event), chart, calls };
      steps.push(step);
      if (!reached) throw fail(`the chart says ${JSON.stringify(oracle.value)}, and the connection is elsewhere`);
      if (driving.isOpen && !driving.isProbing) await talk?.(driving);
      const fault = pairingFault(driving.recording.calls) ?? driving.fault;
      if (fault !== undefined) throw fail(fault);
      if (!isDeepStrictEqual(driving.chart, follow())) throw fail('the connection went on by itself');
      await check?.(driving, step);
    }
    const fault = await driving.end();
    if (fault !== undefined) throw fail(fault);
    return steps;
  } finally {
    await driving.stop();
  }
}

function inWords(steps: readonly DrivenStep[]): string {
  return steps
    .map(({ event, chart, calls }) => {
      const called = calls.map(({ callback }) => callback).join(' ');
      return `  ${event} -> ${JSON.stringify(chart)}${called === '' ? '' : `: ${called}`}`;
    })
    .join('\n');
}
