/** Owns that a receiver of a proxy may keep its client: `accept({ target: null })`. */
import { describe, expect, it } from 'vitest';
import { accept, ConnectionReceiver, type UpgradeAnswer } from '../../src/index.js';
import { startEcho, startProxy } from './stage.js';

class Answering extends ConnectionReceiver {
  override onUpgradeRequest(): UpgradeAnswer {
    return accept({ target: null });
  }
  override onText(text: string): void {
    this.connection.send(`you said ${text}`);
  }
}

describe('accept({ target: null })', () => {
  it('makes the receiver of a proxy who the client talks to, and dials nothing', async () => {
    const target = await startEcho();
    const { open } = await startProxy({
      target: `tcp://127.0.0.1:${target.port}`,
      receiver: () => new Answering(),
    });
    const client = await open();
    client.sendText('hello');
    expect(await client.nextText()).toBe('you said hello');
    expect(target.connections).toHaveLength(0);
  });

  it('is no mistake in a proxy that has no target at all', async () => {
    const { handshake } = await startProxy({ receiver: () => new Answering() });
    expect((await handshake()).status).toBe(101);
  });
});
