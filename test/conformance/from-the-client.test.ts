/** Owns what comes of every row of the frame table when a client sends it, on each way through a server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isWebSocket, type Pair, WAYS, Way, type WayName } from '../fault/way.js';
import { Opcode } from '../support/raw-client.js';
import type { Entry } from '../support/recording-receiver.js';
import { type Delivered, FRAME_CASES, type FrameCase, maskCases, type Outcome, shown } from './frame-cases.js';

const before: Delivered = { kind: 'text', data: Buffer.from('before') };
const after: Delivered = { kind: 'text', data: Buffer.from('after') };

describe.each(WAYS)('on the way "%s", from the client', (name) => {
  let way: Way;
  beforeAll(async () => {
    way = await Way.start(name, { server: { timeouts: { close: '5s' } } });
  });
  afterAll(() => way.stop());

  for (const row of [...FRAME_CASES, ...maskCases(false)]) {
    it(row.title, async () => {
      const pair = await way.open();
      const outcome = outcomeOn(name, row);
      const frames = [
        { opcode: Opcode.Text, payload: before.data },
        ...row.frames,
        { opcode: Opcode.Text, payload: after.data },
      ];
      pair.client.sendRaw(Buffer.concat(frames.map((frame) => pair.client.encode(frame))));
      if ('delivers' in outcome) {
        await expectDelivered(name, pair, [before, ...outcome.delivers, after]);
        expect(pair.client.received.filter((frame) => frame.opcode === Opcode.Close)).toEqual([]);
      } else {
        await expectClosed(name, pair, outcome.close, [before, ...(row.good ?? [])]);
      }
    });
  }
});

function outcomeOn(name: WayName, row: FrameCase): Outcome {
  const seesPayloads = name.startsWith('messages');
  return seesPayloads ? row.outcome : (row.unseen ?? row.outcome);
}

/** P4: the code on the wire is the one that onClosed reports. P2: what came before the violation is delivered. */
async function expectClosed(name: WayName, pair: Pair, code: number, good: readonly Delivered[]): Promise<void> {
  expect((await pair.client.expectClose()).code).toBe(code);
  pair.client.sendClose(code);
  if (isWebSocket(name)) {
    await expectDelivered(name, pair, good);
    expect((await pair.upstream.expectClose()).code).toBe(code);
    expect(pair.upstream.received.filter((frame) => frame.payload.equals(after.data))).toEqual([]);
    pair.upstream.sendClose(code);
    pair.upstream.end();
  } else if (name === 'messages alone') {
    expect(messagesOf(pair)).toEqual(good);
  } else {
    // The beginning of an unfinished message may have been streamed on; nothing behind the violation was.
    const bytes = await pair.peer.readAll();
    const expected = Buffer.concat(good.map(({ data }) => data));
    expect(bytes.subarray(0, expected.length)).toEqual(expected);
    expect(bytes.includes(after.data)).toBe(false);
  }
  expect(await pair.client.waitForEnd()).toBe('fin');
  const [, status] = await pair.receiver.waitFor('closed');
  expect(status).toBe(code);
}

async function expectDelivered(name: WayName, pair: Pair, messages: readonly Delivered[]): Promise<void> {
  if (isWebSocket(name)) {
    for (const expected of messages) {
      expect(shown(await pair.upstream.nextMessage())).toEqual(shown(expected));
    }
  } else if (name === 'messages alone') {
    for (const { kind } of messages) await pair.receiver.waitFor(kind);
    expect(messagesOf(pair).map(shown)).toEqual(messages.map(shown));
  } else {
    const all = Buffer.concat(messages.map(({ data }) => data));
    expect((await pair.peer.read(all.length)).toString('latin1')).toBe(all.toString('latin1'));
  }
}

/** The messages a receiver without a target was shown. */
function messagesOf({ receiver }: Pair): Delivered[] {
  return receiver.entries
    .filter((entry): entry is Entry<'text' | 'binary'> => entry[0] === 'text' || entry[0] === 'binary')
    .map(([kind, data]) => ({ kind, data: Buffer.from(data) }));
}
