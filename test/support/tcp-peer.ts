/**
 * Owns the other side of a `tcp:`, `tls:` or `unix:` target in tests: a peer that reads, writes, ends and resets exactly
 * when told, and addresses where nobody answers. Refuses to speak WebSocket.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { WaitingLine, waitForEvent } from './events.js';
import { Listening, type ListenOptions } from './listening.js';
import type { TcpConnection } from './tcp-connection.js';

export { connectTcp, type DialOptions, type SocketEnding, TcpConnection } from './tcp-connection.js';

/** What a {@link TcpPeer} may be told. */
export interface TcpPeerOptions extends ListenOptions {
  /** Called at once for each connection, before anything is read from it. */
  readonly onConnection?: (connection: TcpConnection) => void;
}

/** A server for byte connections. It answers nothing by itself, and leaves a FIN unanswered (half-open). */
export class TcpPeer {
  /** Such as `tcp://127.0.0.1:4711`, `tls://127.0.0.1:4711` or `unix:/tmp/…/peer.sock`. */
  readonly url: string;
  readonly port: number;
  /** Every connection, in the order in which they came. */
  readonly connections: TcpConnection[];
  readonly #listening: Listening;
  readonly #line: WaitingLine;
  #given = 0;

  private constructor(listening: Listening, connections: TcpConnection[], line: WaitingLine, options: TcpPeerOptions) {
    this.#listening = listening;
    this.#line = line;
    this.connections = connections;
    this.port = listening.port;
    const scheme = options.tls === undefined ? 'tcp' : 'tls';
    this.url =
      listening.socketPath === ''
        ? `${scheme}://${options.host ?? '127.0.0.1'}:${listening.port}`
        : `unix:${listening.socketPath}`;
  }

  /** Starts a peer on a free port of 127.0.0.1, or as the options say. */
  static async start(options: TcpPeerOptions = {}): Promise<TcpPeer> {
    const connections: TcpConnection[] = [];
    const line = new WaitingLine();
    const listening = await Listening.start({ allowHalfOpen: true, ...options }, (connection) => {
      connections.push(connection);
      options.onConnection?.(connection);
      line.notify();
    });
    return new TcpPeer(listening, connections, line, options);
  }

  /** Starts a peer that sends back what it gets, waits when its reader is slow, and answers a FIN with a FIN. */
  static echo(options: ListenOptions = {}): Promise<TcpPeer> {
    return TcpPeer.start({ ...options, onConnection: ({ socket }) => socket.pipe(socket) });
  }

  /** Starts a peer that accepts, reads nothing and never answers. */
  static blackHole(options: ListenOptions = {}): Promise<TcpPeer> {
    return TcpPeer.start({ ...options, paused: true });
  }

  /** How many connections are open now. */
  get openConnections(): number {
    return this.#listening.openConnections;
  }

  /** Resolves with the first connection that was not given yet, and waits for one when there is none. */
  nextConnection(): Promise<TcpConnection> {
    return this.#line.until(
      () => {
        const connection = this.connections[this.#given];
        if (connection !== undefined) this.#given += 1;
        return connection;
      },
      () => undefined,
    );
  }

  /** Stops listening and leaves the connections alone: further dials are refused. */
  stopListening(): void {
    this.#listening.stopListening();
  }

  /** Cuts every connection and stops listening. */
  close(): Promise<void> {
    return this.#listening.close();
  }
}

/** Gives a port of 127.0.0.1 on which nothing listens: a dial is refused at once. It was free a moment ago. */
export async function refusedPort(): Promise<number> {
  const peer = await TcpPeer.start();
  await peer.close();
  return peer.port;
}

/** An address whose connections are neither accepted nor refused. */
export interface UnansweredPort {
  readonly port: number;
  /** Such as `tcp://127.0.0.1:4711`. */
  readonly url: string;
  close(): Promise<void>;
}

// Listens with the smallest backlog, says where, and then never gives its event loop the chance to accept.
const NEVER_ACCEPTS = `
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    require('node:fs').writeSync(1, server.address().port + '\\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;

/**
 * Starts a process that listens and never accepts, and fills its backlog: a further dial gets no answer, so that only a
 * dial timeout ends it. Linux drops the SYN; other systems may refuse instead.
 */
export async function unansweredPort(): Promise<UnansweredPort> {
  const child: ChildProcess = spawn(process.execPath, ['-e', NEVER_ACCEPTS], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = waitForEvent(child, 'exit');
  // It never looks at its event loop again, so it would outlive a test run that is cut short.
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const [text] = await waitForEvent<[Buffer]>(child.stdout!, 'data');
  const port = Number(text.toString().trim());
  // A backlog of 1 holds two connections on Linux; the third waits in SYN_SENT like every later one.
  const fillers: Socket[] = [];
  for (let count = 0; count < 4; count += 1) {
    const filler = connect(port, '127.0.0.1').on('error', () => {});
    fillers.push(filler);
    if (count < 2) await waitForEvent(filler, 'connect');
  }
  const close = async (): Promise<void> => {
    for (const filler of fillers) filler.destroy();
    kill();
    await exited;
    process.removeListener('exit', kill);
  };
  return { port, url: `tcp://127.0.0.1:${port}`, close };
}
