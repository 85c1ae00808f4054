/** Owns what a client may send, on every data path: beyond it the client is slowed down, and when it floods it is closed (P8). */
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/events.js';
import { encodeFrame, Opcode } from '../support/frames.js';
import { everySetup, Stage } from './setups.js';

const ALLOWED = { messagesPerSecond: 20, floodBurst: 1000, floodGrace: 60_000 };
const FLOOD = { ...ALLOWED, floodGrace: 300 };

function frames(count: number, frame: Parameters<typeof encodeFrame>[0]): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => encodeFrame({ ...frame, masked: true })));
}

const message = { opcode: Opcode.Text, payload: 'hi' };

describe.each(everySetup)('P8: the rate of a client on $name', (setup) => {
  it('P8: may be exceeded for a while: it is read more slowly, and nothing is lost', async () => {
    const stage = await Stage.start(setup, { limits: ALLOWED });
    const { client, receiver } = await stage.open();
    await receiver.waitFor('open');
    const began = performance.now();
    client.sendRaw(frames(30, message));
    const received = () => receiver.connection.snapshot().received.messages;
    await eventually(() => received() === 30, 'what one read brought is dealt with');
    client.sendText('one more');
    await eventually(() => received() === 31, 'the next one came');
    // Ten were more than the burst.
    expect(performance.now() - began).toBeGreaterThan(450);
    expect(stage.told.reports).toEqual([]);
  });

  it.each([
    ['messages', frames(200, message)],
    ['pings', frames(200, { opcode: Opcode.Ping, payload: 'hi' })],
    [
      'empty fragments',
      Buffer.concat([frames(1, { ...message, fin: false }), frames(200, { opcode: 0, fin: false, payload: '' })]),
    ],
  ])('P8: exceeded by %s for too long closes it with 1008, and the report says why', async (_name, bytes) => {
    const stage = await Stage.start(setup, { limits: FLOOD });
    const { client, target, receiver } = await stage.open();
    await receiver.waitFor('open');
    const neighbour = await stage.open();
    client.sendRaw(bytes);
    expect(await client.expectClose()).toEqual({ code: 1008, reason: 'more than 20 messages a second for 300 ms' });
    if (setup.target === 'ws') await target.ws!.expectClose();
    expect(await stage.nextReport()).toMatchObject({ initiator: 'proxy', cause: 'RATE_LIMITED', status: 1008 });
    neighbour.client.sendText('still here');
    if (setup.target !== 'none') expect((await neighbour.target.read(10)).toString()).toBe('still here');
  });

  it('P8: in bytes holds for large messages as well', async () => {
    const stage = await Stage.start(setup, { limits: { bytesPerSecond: '64KiB', floodGrace: 300 } });
    const { client, receiver } = await stage.open();
    await receiver.waitFor('open');
    client.sendBinary(Buffer.alloc(2 ** 20));
    expect(await client.expectClose()).toEqual({ code: 1008, reason: 'more than 65536 bytes a second for 300 ms' });
    expect(await stage.nextReport()).toMatchObject({ cause: 'RATE_LIMITED', status: 1008 });
  });
});
