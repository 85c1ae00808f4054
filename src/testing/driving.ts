/**
 * Owns making the events of the chart `connection` happen to a connection in memory, with a clock that stands still in between. Refuses to
 * know what has to follow; the chart does.
 */
import type { StateValue } from 'xstate';
import type { DialOrder } from '../actors/connection.machine.js';
import { isProbing } from '../actors/regions.js';
import type { LifecycleReceiver, UpgradeRequest } from '../receivers/index.js';
import { type ConnectionPath, eventInWords, type PathEvent } from './connection-paths.js';
import { DrivenReceiver } from './driven-receiver.js';
import type { MemoryClient } from './memory-client.js';
import { type MemoryConnectOptions, MemoryServer, type MemoryServerOptions } from './memory-server.js';
import { SimulatedClock, settled } from './simulated-clock.js';

/** How far the clock is moved at most for one event to come, in milliseconds. */
const PATIENCE = 200_000;

/** Milliseconds of simulated time that nothing on a path waits for. */
const NEVER = 3_600_000;

type DrivingOptions = MemoryServerOptions & { readonly request?: MemoryConnectOptions | undefined };

/** A connection whose life is driven event by event. */
export class Driving<Receiver extends LifecycleReceiver> {
  readonly clock: SimulatedClock;
  readonly server: MemoryServer;
  readonly client: MemoryClient;
  /** What the receiver under test was called with; the hand that holds its decision as well. */
  readonly recording: DrivenReceiver<Receiver>;
  /** What went wrong beside the path: a callback that threw. */
  fault: string | undefined;
  readonly dial: DialOrder;

  private constructor(
    server: MemoryServer,
    client: MemoryClient,
    recording: DrivenReceiver<Receiver>,
    clock: SimulatedClock,
    dial: DialOrder,
  ) {
    this.server = server;
    this.client = client;
    this.recording = recording;
    this.clock = clock;
    this.dial = dial;
    server.on('exception', (error) => {
      if (!DrivenReceiver.isMeant(error)) this.fault ??= `the receiver threw: ${String(error)}`;
    });
  }

  /** Starts what the path needs, and brings the connection to where its decision is waited for. */
  static async begin<Receiver extends LifecycleReceiver>(
    path: ConnectionPath,
    receiver: (request: UpgradeRequest) => Receiver,
    { request, ...options }: DrivingOptions,
  ): Promise<Driving<Receiver>> {
    const clock = new SimulatedClock();
    const dial = path.events.find((event) => event.type === 'decision.accept')?.dial ?? 'none';
    const { target = dial === 'none' ? undefined : 'tcp://192.0.2.1:7', window = 16 * 1024 } = options;
    const made: Array<DrivenReceiver<Receiver>> = [];
    const create = (asked: UpgradeRequest) => {
      const driven = new DrivenReceiver(receiver(asked), { clock });
      made.push(driven);
      return driven;
    };
    const server = await MemoryServer.start(create, {
      ...options,
      ...waitsFor(path),
      limits: { maxQueuedBytes: '64MiB', ...options.limits },
      target: dial === 'none' ? undefined : target,
      connectUpstream: dial === 'after-accept' ? dial : 'before-accept',
      targetManners: 'hold',
      window,
      clock,
    });
    const client = server.connect({ answersClose: false, answersPings: false, ...request });
    client.answersEnd = false;
    await settled();
    const [recording] = made;
    if (recording === undefined) {
      await server.stop();
      throw new Error('the request did not come to the receiver; is it refused by the options?');
    }
    return new Driving(server, client, recording, clock, dial);
  }

  get connection() {
    return this.recording.connection;
  }

  get receiver(): Receiver {
    return this.recording.inner as Receiver;
  }

  /** The value of the chart that runs. */
  get chart(): unknown {
    return this.connection.snapshot().chart;
  }

  /** Whether a ping waits: a message would be a sign of life, and lead away from the path. */
  get isProbing(): boolean {
    return isProbing(this.chart as StateValue);
  }

  get isOpen(): boolean {
    return this.connection.state === 'open';
  }

  /** Makes an event happen. A deadline and a heartbeat come by themselves. */
  async happen(event: PathEvent): Promise<void> {
    const { client, connection, recording, server } = this;
    switch (event.type) {
      case 'decision.accept':
        return recording.decide('as the receiver says');
      case 'decision.reject':
        return recording.decide('rejected');
      case 'upstream.ready':
        return (await this.#target()).accept();
      case 'upstream.failed':
        return (await this.#target()).refuse();
      case 'receiver.failed':
        recording.decide('failed');
        recording.whenIdle = 'fail';
        return;
      case 'idle.expired':
        recording.whenIdle = 'expire';
        return;
      case 'close.request':
        await server.disconnectAll();
        return;
      case 'terminate.request':
        return connection.terminate();
      case 'peer.closed':
        return client.close(1000, 'bye');
      case 'protocol.violated':
        return client.sendFrame({ opcode: 3 });
      case 'transport.closed':
        return client.reset();
      case 'pressure.high':
        client.pauseReading();
        connection.send(Buffer.alloc(64 * 1024));
        return;
      case 'pressure.low':
        return client.resumeReading();
      case 'read.pause':
        return connection.pause();
      case 'read.resume':
        connection.resume();
        // Reading is paused until the target is there, when that is dialled after the 101.
        if (this.dial !== 'none') (await this.#target()).accept();
        return;
      case 'peer.heard':
        return client.pong();
      default:
        return;
    }
  }

  /** Waits for something, moving the clock on where nothing else does. Answers whether it came. */
  async until(isSo: () => boolean): Promise<boolean> {
    await settled();
    if (!isSo()) await settled();
    const end = this.clock.now() + PATIENCE;
    for (let step = 10; !isSo(); step = Math.min(500, step * 2)) {
      if (this.clock.now() >= end) return false;
      await this.clock.advance(step);
    }
    return true;
  }

  /** Ends what is left and says what was wrong with it: every connection that was open is closed, once. */
  async end(): Promise<string | undefined> {
    const { recording } = this;
    this.client.reset();
    await this.stop();
    await settled();
    const opened = recording.callsOf('onOpen').length;
    const closed = recording.callsOf('onClosed').length;
    if (opened !== closed) return `onOpen was called ${opened} times, and onClosed ${closed} times`;
    return this.fault;
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  async #target() {
    const [dialled] = this.server.targets.all;
    return dialled ?? this.server.targets.next();
  }
}

/** What is short is what this path waits for; everything else is long enough never to come. */
function waitsFor({ events }: ConnectionPath): Pick<MemoryServerOptions, 'timeouts' | 'heartbeat'> {
  const words = events.map((event) => eventInWords(event));
  const has = (word: string) => words.includes(word);
  // A side that is paused finds out about a reset when its heart is looked at.
  const beats = has('heartbeat.due') || (has('transport.closed') && !has('read.resume'));
  return {
    timeouts: {
      handshake: has('after handshakeTimeout') ? 6000 : NEVER,
      dial: NEVER,
      close: has('after closeTimeout') ? 6000 : NEVER,
      writeStall: has('after writeStallTimeout') ? (has('heartbeat.due') ? 60_000 : 15_000) : NEVER,
      idle: has('idle.expired') || has('receiver.failed') ? 2400 : 0,
      // It begins with the connection, and the steps before it take their time.
      lifetime: has('lifetime.expired') ? (words.length > 2 ? 40_000 : 10_000) : 0,
      lifetimeJitter: 0,
    },
    heartbeat: {
      interval: beats ? (has('heartbeat.due') ? 20_000 : 4000) : 0,
      timeout: has('peer.heard') || has('heartbeat.missed') ? 12_000 : NEVER,
    },
  };
}
