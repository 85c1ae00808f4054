/**
 * Owns the ways that bytes can take through a server, each with its target, and connections on them with both ends in the
 * test's hand. Refuses to answer anything by itself at either end.
 */
import type { ProxyServerOptions } from '../../src/index.js';
import { RawClient, type RawClientOptions } from '../support/raw-client.js';
import { type RawPeer, RawUpstream, type RawUpstreamOptions } from '../support/raw-upstream.js';
import {
  QuietReceiver,
  type ReceiverFactory,
  RecordingReceiver,
  receiverFactory,
} from '../support/recording-receiver.js';
import { type TcpConnection, TcpPeer } from '../support/tcp-peer.js';
import { type Running, runProxy, runReceiverServer } from './running.js';

/** The names of the ways: the data path, and what is at its other end. */
export const WAYS = ['frames', 'stream', 'messages to ws', 'messages to tcp', 'messages alone'] as const;

/** One of {@link WAYS}. */
export type WayName = (typeof WAYS)[number];

/** The ways that have a target. */
export const PROXY_WAYS = WAYS.filter((name) => name !== 'messages alone');

/** The ways whose target speaks WebSocket. */
export const WEBSOCKET_WAYS = ['frames', 'messages to ws'] as const satisfies readonly WayName[];

/** Options of the server, and of a WebSocket target. */
export interface WayOptions {
  readonly server?: ProxyServerOptions;
  readonly upstream?: RawUpstreamOptions;
  /** Instead of a receiver that records. */
  readonly receiver?: () => QuietReceiver;
}

/** One connection with both ends. */
export interface Pair {
  readonly client: RawClient;
  readonly receiver: QuietReceiver;
  /** The end of a WebSocket target. @throws Error when there is none. */
  readonly upstream: RawPeer;
  /** The end of a byte target. @throws Error when there is none. */
  readonly peer: TcpConnection;
}

/** A running server on one way, with its target. */
export class Way {
  readonly name: WayName;
  readonly running: Running;
  readonly receivers: ReceiverFactory<QuietReceiver>;
  readonly target: RawUpstream | TcpPeer | undefined;
  readonly #pairs: Pair[] = [];

  private constructor(
    name: WayName,
    running: Running,
    receivers: ReceiverFactory<QuietReceiver>,
    target: RawUpstream | TcpPeer | undefined,
  ) {
    this.name = name;
    this.running = running;
    this.receivers = receivers;
    this.target = target;
  }

  /** Starts a server and its target. Whoever starts a way stops it. */
  static async start(name: WayName, options: WayOptions = {}): Promise<Way> {
    const receivers = receiverFactory<QuietReceiver>(options.receiver ?? (() => receiverFor(name)));
    const settings = { ...options.server, receiver: receivers.create };
    if (name === 'messages alone') return new Way(name, await runReceiverServer(settings), receivers, undefined);
    const target = isWebSocket(name) ? await RawUpstream.start(options.upstream) : await TcpPeer.start();
    return new Way(name, await runProxy({ target: target.url, ...settings }), receivers, target);
  }

  /** Opens a connection. One at a time, so that its ends belong together. */
  async open(options: Partial<RawClientOptions> = {}): Promise<Pair> {
    const client = await RawClient.open({ port: this.running.port, ...options });
    const receiver = await this.receivers.nextReceiver();
    const upstream = this.target instanceof RawUpstream ? await this.target.nextConnection() : undefined;
    const peer = this.target instanceof TcpPeer ? await this.target.nextConnection() : undefined;
    const { name } = this;
    const pair: Pair = {
      client,
      receiver,
      get upstream() {
        if (upstream === undefined) throw new Error(`there is no WebSocket target on the way ${name}`);
        return upstream;
      },
      get peer() {
        if (peer === undefined) throw new Error(`there is no byte target on the way ${name}`);
        return peer;
      },
    };
    this.#pairs.push(pair);
    return pair;
  }

  /** Resolves with the target's ends of that many connections that were opened without `open`. */
  async nextPeers(count: number): Promise<(RawPeer | TcpConnection)[]> {
    const peers: (RawPeer | TcpConnection)[] = [];
    while (this.target !== undefined && peers.length < count) peers.push(await this.target.nextConnection());
    return peers;
  }

  /** Cuts what is left, and resolves when nothing is. */
  async stop(): Promise<void> {
    for (const { client } of this.#pairs) client.destroy();
    await this.running.server.stop({ drainTimeout: 0 });
    await this.target?.close();
  }
}

/** Whether the target of that way speaks WebSocket. */
export function isWebSocket(name: WayName): boolean {
  return WEBSOCKET_WAYS.some((one) => one === name);
}

function receiverFor(name: WayName): QuietReceiver {
  return name === 'frames' || name === 'stream' ? new QuietReceiver() : new RecordingReceiver();
}
