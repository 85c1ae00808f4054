/** Owns backends that say who they are: each greets with its name and echoes. Everything is stopped when the test has finished. */
import { onTestFinished } from 'vitest';
import { ConnectionReceiver, ReceiverServer } from '../../src/index.js';

class Named extends ConnectionReceiver {
  readonly #name: string;

  constructor(name: string) {
    super();
    this.#name = name;
  }

  override onOpen(): void {
    this.connection.send(this.#name);
  }

  override onText(text: string): void {
    this.connection.send(text);
  }
}

/** A backend that runs. */
export interface NamedBackend {
  readonly server: ReceiverServer;
  /** Such as `ws://127.0.0.1:4711`. */
  readonly url: string;
}

/** Starts a backend on a free port of 127.0.0.1. */
export async function startBackend(name: string): Promise<NamedBackend> {
  const server = new ReceiverServer({ listen: '127.0.0.1:0', receiver: () => new Named(name) });
  const [address] = await server.start();
  onTestFinished(() => server.stop({ drainTimeout: 0 }));
  return { server, url: address!.url };
}
