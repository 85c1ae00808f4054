/**
 * Owns that an effect which throws, which none may, ends its own connection in an order that an application can rely on, and
 * leaves nothing behind.
 */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { DownstreamShell } from '../../src/server/connections/downstream-shell.js';
import { receiverFactory } from '../support/recording-receiver.js';
import { startEcho, startProxy } from './stage.js';

/** Makes an effect of one kind throw once, whichever connection it is of. */
function breakOnce(effect: 'accept' | 'sendClose' | 'stopReading'): void {
  const spy = vi.spyOn(DownstreamShell.prototype, effect).mockImplementationOnce(() => {
    throw new Error(`${effect} is broken`);
  });
  onTestFinished(() => spy.mockRestore());
}

describe('an effect of a connection that throws', () => {
  it.each(['accept', 'sendClose', 'stopReading'] as const)(
    'ends that connection only: %s (P1, P5, P7)',
    async (effect) => {
      const target = await startEcho();
      const receivers = receiverFactory();
      const { open, server, events } = await startProxy({ target: target.url, receiver: receivers.create });
      const other = await open();
      await receivers.nextReceiver();
      breakOnce(effect);
      const opening = open();
      if (effect === 'accept') await expect(opening).rejects.toThrow();
      else {
        const client = await opening;
        const { connection } = await receivers.nextReceiver();
        if (effect === 'sendClose') connection.close(4000);
        else connection.pause();
        await client.waitForEnd();
        expect((await events.reports.next()).status).toBe(1011);
      }
      expect(await events.exceptions.next()).toEqual(new Error(`${effect} is broken`));
      other.sendBinary(Buffer.from('still there'));
      expect((await other.nextBinary()).toString()).toBe('still there');
      expect(server.snapshot().connections.length).toBe(1);
      await server.stop({ drainTimeout: 0 });
      expect(server.snapshot().connections).toEqual([]);
      expect(events.lines.at(-1)).toBe('shutdown');
    },
  );
});
