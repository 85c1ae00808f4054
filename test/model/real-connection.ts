/**
 * Owns making the events of the `connection` chart happen to a real connection: a server, sockets and a target, with the
 * chart's value read from outside. Refuses to know what has to follow; the chart does.
 */
import { onTestFinished } from 'vitest';
import type { AnyEventObject } from 'xstate';
import {
  type CloseReport,
  ConnectionReceiver,
  ProxyServer,
  type ProxyServerOptions,
  ReceiverServer,
  type UpgradeAnswer,
} from '../../src/index.js';
import { type Deferred, deferred } from '../support/events.js';
import { closePayload, encodeFrame, type FrameSpec, Opcode } from '../support/frames.js';
import { requestBytes } from '../support/raw-client.js';
import { type RawPeer, RawUpstream } from '../support/raw-upstream.js';
import { connectTcp, type TcpConnection } from '../support/tcp-peer.js';
import { eventInWords } from './walk.js';

/** Decides when the test says so, and fails or lets an idle connection go when the test says so. */
class DrivenReceiver extends ConnectionReceiver {
  readonly decision: Deferred<UpgradeAnswer> = deferred();
  /** What becomes of the connection when it is idle the next time. */
  whenIdle: 'keep' | 'expire' | 'fail' = 'keep';

  get handle() {
    return this.connection;
  }

  override onUpgradeRequest(): Promise<UpgradeAnswer> {
    return this.decision.promise;
  }

  onIdleTimeout(): boolean {
    if (this.whenIdle === 'fail') throw new Error('onIdleTimeout failed');
    return this.whenIdle === 'keep';
  }
}

/** A real connection whose life is driven event by event. */
export class RealConnection {
  report: CloseReport | undefined;
  readonly #server: ProxyServer | ReceiverServer;
  readonly #client: TcpConnection;
  readonly #receiver: DrivenReceiver;
  readonly #upstream: RawUpstream | undefined;

  private constructor(
    server: ProxyServer | ReceiverServer,
    client: TcpConnection,
    receiver: DrivenReceiver,
    upstream: RawUpstream | undefined,
  ) {
    this.#server = server;
    this.#client = client;
    this.#receiver = receiver;
    this.#upstream = upstream;
    server.on('disconnected', (_, report) => {
      this.report = report;
    });
  }

  /** Starts what the events of a life need, and brings the connection to where its decision is waited for. */
  static async begin(way: readonly AnyEventObject[]): Promise<RealConnection> {
    const words = way.map(eventInWords);
    const dial = words.find((word) => word.startsWith('decision.accept('))?.slice('decision.accept('.length, -1);
    const asked = deferred<DrivenReceiver>();
    const receiver = (): DrivenReceiver => {
      const made = new DrivenReceiver();
      asked.resolve(made);
      return made;
    };
    const options = { listen: '127.0.0.1:0', receiver, ...optionsFor(words) };
    // It answers when it is told to.
    const upstream = dial?.endsWith('accept') ? await RawUpstream.start({ onUpgrade: () => {} }) : undefined;
    const connectUpstream = dial === 'after-accept' ? dial : 'before-accept';
    const server =
      upstream === undefined
        ? new ReceiverServer(options)
        : new ProxyServer({ ...options, target: upstream.url, connectUpstream });
    const [address] = await server.start();
    const port = address!.port;
    // Half-open, so that the end of the server's side is not answered before the test says so.
    const client = await connectTcp({ port, allowHalfOpen: true });
    onTestFinished(async () => {
      client.destroy();
      await server.stop({ drainTimeout: 0 });
      await upstream?.close();
    });
    client.discard();
    client.write(requestBytes({ port }));
    return new RealConnection(server, client, await asked.promise, upstream);
  }

  /** The value of the chart that runs. */
  get chart(): unknown {
    return this.#receiver.handle.snapshot().chart;
  }

  /** Makes an event happen. A deadline and a heartbeat come by themselves. */
  async happen(event: AnyEventObject): Promise<void> {
    const connection = this.#receiver.handle;
    const client = this.#client;
    switch (event.type) {
      case 'decision.accept':
        return this.#receiver.decision.resolve(true);
      case 'decision.reject':
        return this.#receiver.decision.resolve(false);
      case 'upstream.ready':
        return (await this.#peer()).accept();
      case 'upstream.failed':
        return (await this.#peer()).reset();
      case 'receiver.failed':
        this.#receiver.decision.reject(new Error('onUpgradeRequest failed'));
        this.#receiver.whenIdle = 'fail';
        return;
      case 'idle.expired':
        this.#receiver.whenIdle = 'expire';
        return;
      case 'close.request':
        await this.#server.disconnectAll();
        return;
      case 'terminate.request':
        return connection.terminate();
      case 'peer.closed':
        return this.#send({ opcode: Opcode.Close, payload: closePayload(1000, 'bye') });
      case 'protocol.violated':
        return this.#send({ opcode: 3 });
      case 'transport.closed':
        return client.reset();
      case 'pressure.high':
        client.pauseReading();
        while (!connection.throttled) connection.send(Buffer.alloc(64 * 1024));
        return;
      case 'pressure.low':
        return client.resumeReading();
      case 'read.pause':
        return connection.pause();
      case 'read.resume':
        connection.resume();
        // Reading is paused until the target is there, when that is dialled after the 101.
        if (this.#upstream !== undefined && connection.target !== undefined) (await this.#peer()).accept();
        return;
      case 'peer.heard':
        return this.#send({ opcode: Opcode.Pong });
      default:
        return;
    }
  }

  #send(spec: FrameSpec): void {
    this.#client.write(encodeFrame({ masked: true, ...spec }));
  }

  async #peer(): Promise<RawPeer> {
    if (this.#upstream === undefined) throw new Error('this life has no target');
    return this.#upstream.peers[0] ?? this.#upstream.nextConnection();
  }
}

/** What is short is what this life waits for; everything else is long enough never to come. */
function optionsFor(words: readonly string[]): Pick<ProxyServerOptions, 'timeouts' | 'heartbeat' | 'limits'> {
  const has = (word: string) => words.includes(word);
  const never = 60_000;
  const idles = has('idle.expired') || has('receiver.failed');
  // A side that is paused finds out about a reset when its heart is looked at.
  const beats = has('heartbeat.due') || (has('transport.closed') && !has('read.resume'));
  return {
    timeouts: {
      handshake: has('after handshakeTimeout') ? 60 : never,
      dial: never,
      close: has('after closeTimeout') ? 60 : never,
      writeStall: has('after writeStallTimeout') ? (has('heartbeat.due') ? 600 : 150) : never,
      idle: idles ? 24 : 0,
      // It begins with the connection, and the steps before it take their time.
      lifetime: has('lifetime.expired') ? (words.length > 2 ? 400 : 100) : 0,
      lifetimeJitter: 0,
    },
    heartbeat: {
      interval: beats ? (has('heartbeat.due') ? 200 : 40) : 0,
      timeout: has('peer.heard') || has('heartbeat.missed') ? 120 : never,
    },
    limits: { maxQueuedBytes: 256 * 1024 * 1024 },
  };
}
