/**
 * Owns what the tests of the servers set up: a server on a free port with a record of its events, hand-written clients
 * and targets. Everything is closed when the test that asked for it has finished. Refuses to assert anything.
 */
import { onTestFinished } from 'vitest';
import {
  type BoundAddress,
  type CloseReport,
  type Connection,
  ProxyServer,
  type ProxyServerOptions,
  ReceiverServer,
  type ReceiverServerOptions,
  type RejectedUpgrade,
} from '../../src/index.js';
import { WaitingLine } from '../support/events.js';
import { openClient } from '../support/for-one-test.js';
import { type HandshakeAnswer, RawClient, type RawClientOptions } from '../support/raw-client.js';
import { receiverFactory } from '../support/recording-receiver.js';
import { TcpPeer, type TcpPeerOptions } from '../support/tcp-peer.js';

export { openClient, startTcpPeer as startTcp, startUpstream } from '../support/for-one-test.js';

/** Everything a server told, in order, as words; and the values, each given once to whoever asks. */
export class EventRecord {
  /** Such as `connection conn-1`, `disconnected conn-1 1000`, `rejected REJECTED`. */
  readonly lines: string[] = [];
  readonly connections = new Given<Connection>();
  readonly reports = new Given<CloseReport>();
  readonly rejections = new Given<RejectedUpgrade>();
  readonly exceptions = new Given<unknown>();

  constructor(server: ProxyServer | ReceiverServer) {
    server.on('startup', (addresses) => this.lines.push(`startup ${addresses.length}`));
    server.on('shutdown', () => this.lines.push('shutdown'));
    server.on('connection', (connection) => {
      this.lines.push(`connection ${connection.id}`);
      this.connections.add(connection);
    });
    server.on('disconnected', (connection, report) => {
      this.lines.push(`disconnected ${connection.id} ${report.status}`);
      this.reports.add(report);
    });
    server.on('rejected', (rejected) => {
      this.lines.push(`rejected ${rejected.error}`);
      this.rejections.add(rejected);
    });
    server.on('exception', (error) => {
      this.lines.push(`exception ${error instanceof Error ? error.message : String(error)}`);
      this.exceptions.add(error);
    });
  }
}

/** Values in the order they came, each given once. */
export class Given<T> {
  readonly all: T[] = [];
  readonly #line = new WaitingLine();
  #given = 0;

  add(value: T): void {
    this.all.push(value);
    this.#line.notify();
  }

  /** Resolves with the first value that was not given yet. Bounded by the timeout of the test. */
  async next(): Promise<T> {
    const box = await this.#line.until(
      () => (this.#given < this.all.length ? { value: this.all[this.#given] as T } : undefined),
      () => undefined,
    );
    this.#given += 1;
    return box.value;
  }
}

/** A server that runs. */
export interface Running<Server> {
  readonly server: Server;
  readonly events: EventRecord;
  readonly address: BoundAddress;
  readonly port: number;
  /** Opens a client that sees single frames; rejects when it is refused. */
  open(options?: RawClientOptions): Promise<RawClient>;
  /** Does a handshake and gives the answer, whatever it is. */
  handshake(options?: RawClientOptions): Promise<HandshakeAnswer>;
}

/** Starts a proxy on a free port of 127.0.0.1. */
export function startProxy(options: ProxyServerOptions): Promise<Running<ProxyServer>> {
  return run(new ProxyServer({ listen: '127.0.0.1:0', ...options }));
}

/** Starts a server without target on a free port of 127.0.0.1. Without a receiver it takes every message and says nothing. */
export function startReceivers(options: Partial<ReceiverServerOptions> = {}): Promise<Running<ReceiverServer>> {
  return run(new ReceiverServer({ listen: '127.0.0.1:0', receiver: receiverFactory().create, ...options }));
}

async function run<Server extends ProxyServer | ReceiverServer>(server: Server): Promise<Running<Server>> {
  const events = new EventRecord(server);
  stopAfterTest(server);
  const [address] = await server.start();
  const { port } = address!;
  return {
    server,
    events,
    address: address!,
    port,
    open: (options) => openClient({ port, ...options }),
    handshake: (options) => handshake({ port, ...options }),
  };
}

/** Stops a server when the test has finished, whatever state it is in then. */
export function stopAfterTest(server: ProxyServer | ReceiverServer): void {
  onTestFinished(() => server.stop({ drainTimeout: 0 }));
}

/** Does a handshake and gives the answer. */
export async function handshake(options: RawClientOptions): Promise<HandshakeAnswer> {
  const answer = await RawClient.handshake(options);
  onTestFinished(() => answer.client?.destroy());
  return answer;
}

/** Starts a byte target that sends back what it gets. */
export async function startEcho(options: TcpPeerOptions = {}): Promise<TcpPeer> {
  const peer = await TcpPeer.echo(options);
  onTestFinished(() => peer.close());
  return peer;
}
