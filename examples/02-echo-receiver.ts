/** Answers messages itself: a server without a target, and a receiver for each connection. */
import { type CloseStatus, ConnectionReceiver, ReceiverServer } from 'tidegate';

class Echo extends ConnectionReceiver {
  override onOpen(): void {
    this.connection.send('welcome');
  }

  override onText(text: string): void {
    if (text === 'bye') this.connection.close(1000, 'bye');
    else this.connection.send(text);
  }

  override onBinary(data: Buffer): void {
    this.connection.send(data);
  }

  override onClosed(status: CloseStatus, reason: string): void {
    console.log(`${this.connection.id} ended with ${status} ${reason}`);
  }
}

export async function start(port: number): Promise<ReceiverServer> {
  const server = new ReceiverServer({ listen: `127.0.0.1:${port}`, receiver: () => new Echo() });
  await server.start();
  return server;
}

if (process.argv[1] === import.meta.filename) {
  const server = await start(Number(process.env.PORT ?? 8080));
  console.log(`${server.addresses[0]?.url} echoes`);
}
