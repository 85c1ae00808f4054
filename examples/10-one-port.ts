/** One port for WebSocket clients and for clients that speak plain TCP: both are in the same room, and read the same lines. */
import { type Connection, ConnectionReceiver, ReceiverServer, type UpgradeRequest } from 'tidegate';

const ROOM = 'room';

class Guest extends ConnectionReceiver {
  readonly #server: () => ReceiverServer;

  constructor(server: () => ReceiverServer) {
    super();
    this.#server = server;
  }

  /**
   * Asked for every client. One that speaks plain TCP has no path, no headers and no origin: whoever decides by those decides about it
   * by `transport`.
   */
  override onUpgradeRequest(request: UpgradeRequest): boolean {
    return request.transport === 'tcp' || request.path === '/';
  }

  override onOpen(request: UpgradeRequest): void {
    this.connection.subscribe(ROOM);
    this.connection.send(`welcome, ${request.transport} client`);
  }

  /** What a WebSocket client says. */
  override onText(line: string): void {
    this.#say(line);
  }

  /** What a plain TCP client says, line by line: `tcpFraming` cuts its bytes. */
  override onBinary(line: Buffer): void {
    this.#say(line.toString().trimEnd());
  }

  #say(line: string): void {
    this.#server().broadcast(line, { channel: ROOM, exclude: [this.connection.id] });
  }
}

export async function start(
  port: number,
  onGuest: (connection: Connection) => void = () => {},
): Promise<ReceiverServer> {
  const server: ReceiverServer = new ReceiverServer({
    // `any`: what a client is, its first bytes say. `nc` says nothing before you type a line.
    listen: { host: '127.0.0.1', port, protocol: 'any' },
    tcpFraming: { delimiter: '\n' },
    timeouts: { handshake: '1m' },
    receiver: () => new Guest(() => server),
  });
  server.on('connection', onGuest);
  await server.start();
  return server;
}

if (process.argv[1] === import.meta.filename) {
  const server = await start(Number(process.env.PORT ?? 8080), ({ request, id }) =>
    console.log(`${id} came by ${request.transport}`),
  );
  const address = server.addresses[0];
  console.log(`${address?.url} is for WebSocket clients, and nc ${address?.host} ${address?.port} for the others`);
}
