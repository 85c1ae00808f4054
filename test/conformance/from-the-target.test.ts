/** Owns what comes of every row of the frame table when a WebSocket target sends it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Way, WEBSOCKET_WAYS } from '../fault/way.js';
import { Opcode, type RawClient } from '../support/raw-client.js';
import { type Delivered, FRAME_CASES, maskCases, shown } from './frame-cases.js';

const before: Delivered = { kind: 'text', data: Buffer.from('before') };
const after: Delivered = { kind: 'text', data: Buffer.from('after') };

describe.each(WEBSOCKET_WAYS)('on the way "%s", from the target', (name) => {
  let way: Way;
  beforeAll(async () => {
    way = await Way.start(name, { server: { timeouts: { close: '5s' } } });
  });
  afterAll(() => way.stop());

  for (const row of [...FRAME_CASES, ...maskCases(true)]) {
    it(row.title, async () => {
      const { client, receiver, upstream } = await way.open();
      const outcome = name === 'frames' ? (row.unseen ?? row.outcome) : row.outcome;
      const frames = [
        { opcode: Opcode.Text, payload: before.data },
        ...row.frames,
        { opcode: Opcode.Text, payload: after.data },
      ];
      upstream.sendRaw(Buffer.concat(frames.map((frame) => upstream.encode(frame))));
      if ('delivers' in outcome) {
        await expectDelivered(client, [before, ...outcome.delivers, after]);
        return;
      }
      // The target is told what it did wrong; to the client it is a fault of the target, 1011, and onClosed says so.
      await expectDelivered(client, [before, ...(row.good ?? [])]);
      expect((await upstream.expectClose()).code).toBe(outcome.close);
      upstream.end();
      const { code, end } = await client.answerClose();
      expect({ code, end }).toEqual({ code: 1011, end: 'fin' });
      expect(client.received.filter((frame) => frame.payload.equals(after.data))).toEqual([]);
      const [, status] = await receiver.waitFor('closed');
      expect(status).toBe(1011);
    });
  }
});

async function expectDelivered(client: RawClient, messages: readonly Delivered[]): Promise<void> {
  for (const expected of messages) {
    expect(shown(await client.nextMessage())).toEqual(shown(expected));
  }
}
