/** Sends to many: rooms as channels, a guest per connection, a polite end. Connect to `/kitchen?name=ada`. */
import { ConnectionReceiver, ReceiverServer, reject, type UpgradeAnswer, type UpgradeRequest } from 'tidegate';

class Guest extends ConnectionReceiver {
  readonly #server: ReceiverServer;
  #name = '';
  #room = '';

  constructor(server: ReceiverServer) {
    super();
    this.#server = server;
  }

  override onUpgradeRequest(request: UpgradeRequest): UpgradeAnswer {
    this.#name = request.query.get('name') ?? '';
    this.#room = request.path;
    if (this.#name === '') return reject(400, { body: 'Say who you are: ?name=…\n' });
    return true;
  }

  override onOpen(): void {
    this.connection.subscribe(this.#room);
    this.#tellOthers(`${this.#name} joined`);
  }

  override onText(text: string): void {
    this.#tellOthers(`${this.#name}: ${text}`);
  }

  override onClosed(): void {
    this.#tellOthers(`${this.#name} left`);
  }

  #tellOthers(text: string): void {
    const exclude = [this.connection.id];
    // A guest who reads too slowly is not waited for: beyond `limits.maxQueuedBytes` messages for that guest are dropped.
    const { dropped } = this.#server.broadcast(text, { channel: this.#room, exclude });
    if (dropped > 0) console.log(`${dropped} guests of ${this.#room} missed a message`);
  }
}

export async function start(port: number): Promise<ReceiverServer> {
  const server: ReceiverServer = new ReceiverServer({
    listen: `127.0.0.1:${port}`,
    receiver: () => new Guest(server),
  });
  await server.start();
  return server;
}

if (process.argv[1] === import.meta.filename) {
  const server = await start(Number(process.env.PORT ?? 8080));
  console.log(`${server.addresses[0]?.url} has rooms, such as /kitchen?name=ada`);
  // Every guest gets Close 1001, and the process ends when the last one is gone.
  process.once('SIGINT', () => server.stop());
  process.once('SIGTERM', () => server.stop());
}
