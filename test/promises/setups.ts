/**
 * Owns the same server on every data path, so that a behaviour is written once and held on all of them. Everything is
 * closed when the test that asked for it has finished. Refuses to assert anything.
 */
import { onTestFinished } from 'vitest';
import {
  type CloseReport,
  type Connection,
  ProxyServer,
  type ProxyServerOptions,
  ReceiverServer,
  type RejectedUpgrade,
} from '../../src/index.js';
import { WaitingLine } from '../support/events.js';
import { type FramePeer, Opcode, RawClient, type RawClientOptions } from '../support/raw-client.js';
import { type RawPeer, RawUpstream, type RawUpstreamOptions } from '../support/raw-upstream.js';
import {
  type MessageOverrides,
  QuietReceiver,
  RecordingReceiver,
  receiverFactory,
} from '../support/recording-receiver.js';
import { type TcpConnection, TcpPeer, type TcpPeerOptions } from '../support/tcp-peer.js';

/** One way through the server. */
export interface Setup {
  readonly name: string;
  readonly path: 'frames' | 'stream' | 'messages';
  readonly target: 'ws' | 'tcp' | 'none';
}

const frames: Setup = { name: 'frames', path: 'frames', target: 'ws' };
const stream: Setup = { name: 'stream', path: 'stream', target: 'tcp' };
const messagesToWs: Setup = { name: 'messages to ws', path: 'messages', target: 'ws' };
const messagesToTcp: Setup = { name: 'messages to tcp', path: 'messages', target: 'tcp' };
export const withoutTarget: Setup = { name: 'messages without target', path: 'messages', target: 'none' };

/** Every data path with every kind of target. */
export const everySetup = [frames, stream, messagesToWs, messagesToTcp, withoutTarget];
export const proxySetups = [frames, stream, messagesToWs, messagesToTcp];
export const wsSetups = [frames, messagesToWs];
export const tcpSetups = [stream, messagesToTcp];
export const messageSetups = [messagesToWs, messagesToTcp, withoutTarget];

/** The target's end of one connection, whatever it speaks. */
export class TargetEnd {
  /** The end as it is: one of the two. */
  readonly ws: RawPeer | undefined;
  readonly tcp: TcpConnection | undefined;

  constructor(end: { readonly ws?: RawPeer; readonly tcp?: TcpConnection }) {
    this.ws = end.ws;
    this.tcp = end.tcp;
  }

  get connection(): TcpConnection {
    return this.tcp ?? this.ws!.connection;
  }

  /** Sends bytes: as one binary message to a proxy that speaks WebSocket with it. */
  send(data: Uint8Array): boolean {
    return this.ws === undefined ? this.tcp!.write(data) : this.ws.sendBinary(data);
  }

  /** Answers the end of the other side as a polite target does. A TCP target of a stage does so without being asked. */
  async answer(): Promise<void> {
    if (this.ws === undefined) return;
    const { payload } = await this.ws.nextFrame(Opcode.Close);
    this.ws.sendFrame({ opcode: Opcode.Close, payload });
    this.ws.end();
    await this.ws.waitForEnd();
  }

  /** Reads that many payload bytes. */
  read(bytes: number): Promise<Buffer> {
    return this.ws === undefined ? this.tcp!.read(bytes) : readPayload(this.ws, bytes);
  }
}

/** Reads messages until they hold that many payload bytes together. */
export async function readPayload(peer: FramePeer, bytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  while (size < bytes) {
    const { data } = await peer.nextMessage();
    parts.push(data);
    size += data.length;
  }
  return Buffer.concat(parts);
}

/** A client, what it is connected with, and the receiver between them. */
export interface Pair {
  readonly client: RawClient;
  /** Of a setup without target it must not be used. */
  readonly target: TargetEnd;
  readonly receiver: QuietReceiver;
}

/** What the events of a server told, in order. */
export interface Told {
  readonly opened: Connection[];
  readonly reports: CloseReport[];
  readonly rejected: RejectedUpgrade[];
  readonly exceptions: unknown[];
}

/** What a stage may be told beside the options of the server. */
export interface StageOptions extends Omit<ProxyServerOptions, 'receiver' | 'target' | 'listen'> {
  /** What the callbacks do. On the fast paths those that look at messages are left out. */
  readonly callbacks?: MessageOverrides;
  readonly upstream?: RawUpstreamOptions;
  readonly tcp?: TcpPeerOptions;
}

/** A server that runs, with its target. */
export class Stage {
  readonly setup: Setup;
  readonly server: ProxyServer | ReceiverServer;
  readonly upstream: RawUpstream | undefined;
  readonly tcp: TcpPeer | undefined;
  readonly told: Told = { opened: [], reports: [], rejected: [], exceptions: [] };
  readonly #line = new WaitingLine();
  readonly #factory;
  #given = 0;

  private constructor(setup: Setup, options: StageOptions, upstream?: RawUpstream, tcp?: TcpPeer) {
    const { callbacks = {}, upstream: _upstream, tcp: _tcp, ...rest } = options;
    this.setup = setup;
    this.upstream = upstream;
    this.tcp = tcp;
    this.#factory = receiverFactory<QuietReceiver>(() =>
      setup.path === 'messages' ? new RecordingReceiver(callbacks) : new QuietReceiver(quiet(callbacks)),
    );
    const common = { listen: '127.0.0.1:0', ...rest, receiver: this.#factory.create };
    const target = upstream?.url ?? tcp?.url;
    this.server = target === undefined ? new ReceiverServer(common) : new ProxyServer({ ...common, target });
    this.server.on('connection', (connection) => this.told.opened.push(connection));
    this.server.on('rejected', (rejected) => this.#tell(() => this.told.rejected.push(rejected)));
    this.server.on('exception', (error) => this.#tell(() => this.told.exceptions.push(error)));
    this.server.on('disconnected', (_connection, report) => this.#tell(() => this.told.reports.push(report)));
  }

  /** Starts a target that does nothing by itself but answer handshakes, or a FIN over TCP, and a server before it. */
  static async start(setup: Setup, options: StageOptions = {}): Promise<Stage> {
    const upstream = setup.target === 'ws' ? await RawUpstream.start(options.upstream) : undefined;
    if (upstream !== undefined) onTestFinished(() => upstream.close());
    const tcp = setup.target === 'tcp' ? await TcpPeer.start({ onConnection: answerFin, ...options.tcp }) : undefined;
    if (tcp !== undefined) onTestFinished(() => tcp.close());
    const stage = new Stage(setup, options, upstream, tcp);
    await stage.server.start();
    onTestFinished(() => stage.server.stop({ drainTimeout: 0 }));
    return stage;
  }

  get port(): number {
    return this.server.addresses[0]!.port;
  }

  /** Opens a connection all the way to the target. */
  async open(options: RawClientOptions = {}): Promise<Pair> {
    const client = await this.openClient(options);
    return { client, target: await this.nextTarget(), receiver: await this.nextReceiver() };
  }

  /** Opens the client's side only. */
  async openClient(options: RawClientOptions = {}): Promise<RawClient> {
    const client = await RawClient.open({ port: this.port, ...options });
    onTestFinished(async () => {
      client.destroy();
      await client.connection.closed();
    });
    return client;
  }

  async nextTarget(): Promise<TargetEnd> {
    if (this.upstream !== undefined) return new TargetEnd({ ws: await this.upstream.nextConnection() });
    if (this.tcp !== undefined) return new TargetEnd({ tcp: await this.tcp.nextConnection() });
    return new TargetEnd({});
  }

  nextReceiver(): Promise<QuietReceiver> {
    return this.#factory.nextReceiver();
  }

  /** Resolves with the next report about a connection that ended. */
  nextReport(): Promise<CloseReport> {
    return this.#line.until(
      () => {
        const report = this.told.reports[this.#given];
        if (report !== undefined) this.#given += 1;
        return report;
      },
      () => undefined,
    );
  }

  /** Resolves when a fact that the events of the server tell of is true. */
  async until(fact: (told: Told) => boolean): Promise<void> {
    await this.#line.until(
      () => (fact(this.told) ? true : undefined),
      () => undefined,
    );
  }

  #tell(note: () => void): void {
    note();
    this.#line.notify();
  }
}

function answerFin(connection: TcpConnection): void {
  connection.waitForEnd().then(
    () => connection.end(),
    () => {},
  );
}

/** The callbacks that keep a connection on the fast paths. */
function quiet({ onUpgradeRequest, onOpen, onClosed, onThrottled, onUnthrottled, ...rest }: MessageOverrides) {
  const { onBeforeHeartbeat, onIdleTimeout } = rest;
  return { onUpgradeRequest, onOpen, onClosed, onThrottled, onUnthrottled, onBeforeHeartbeat, onIdleTimeout } as object;
}

/** The Close frames among the frames that came, and what came behind the first of them. */
export function afterFirstClose(peer: FramePeer): number {
  const index = peer.received.findIndex(({ opcode }) => opcode === Opcode.Close);
  return index < 0 ? 0 : peer.received.length - index - 1;
}

/** The codes of every Close frame that came; 1005 for one without. */
export function closeCodes(peer: FramePeer): number[] {
  return peer.received
    .filter(({ opcode }) => opcode === Opcode.Close)
    .map(({ payload }) => (payload.length === 0 ? 1005 : payload.readUInt16BE(0)));
}

/** Answers every ping from now on, and takes no frame away from whoever waits for one. */
export function answerPings(...peers: Array<FramePeer | undefined>): void {
  for (const peer of peers) {
    let seen = 0;
    const answer = () => {
      for (; seen < (peer?.received.length ?? 0); seen += 1) {
        const { opcode, payload } = peer!.received[seen]!;
        if (opcode === Opcode.Ping) peer!.sendPong(payload);
      }
    };
    answer();
    peer?.socket.on('data', answer);
  }
}
