/** Owns how Close frames are judged and answered, on each way through a server (RFC 6455 sections 5.5.1 and 7.4; P4). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isWebSocket, type Pair, WAYS, Way, WEBSOCKET_WAYS } from '../fault/way.js';
import { closePayload, Opcode } from '../support/raw-client.js';

const SENDABLE = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4404, 4999];
const FORBIDDEN = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 9999, 65_535];
const LONGEST = 'r'.repeat(123);

/** Reasons that are not UTF-8. */
const BAD_REASONS: readonly (readonly [what: string, hex: string])[] = [
  ['a byte of no code point', 'ff'],
  ['a continuation byte alone', '80'],
  ['a cut code point', 'e282'],
  ['a surrogate', 'eda080'],
  ['an overlong slash', 'c0af'],
];

/** Payloads of Close frames that are refused, and with which code. */
const REFUSED: readonly (readonly [what: string, payload: Buffer, code: number])[] = [
  ['a payload of one byte', Buffer.from([0x03]), 1002],
  ...FORBIDDEN.map((code) => [`the code ${code}`, closePayload(code), 1002] as const),
  [`a forbidden code with a good reason`, closePayload(1005, 'no'), 1002],
  ...BAD_REASONS.map(
    ([what, hex]) =>
      [`a reason with ${what}`, Buffer.concat([closePayload(1000, 'ok'), Buffer.from(hex, 'hex')]), 1007] as const,
  ),
];

/** Answers a Close of the client at the far end, where it speaks WebSocket; otherwise waits for the FIN it becomes. */
async function answerAtTheFarEnd(pair: Pair, name: string): Promise<{ code: number; reason: string } | undefined> {
  if (name === 'messages alone') return undefined;
  if (name !== 'frames' && name !== 'messages to ws') {
    await pair.peer.waitForEnd();
    pair.peer.end();
    return undefined;
  }
  const close = await pair.upstream.expectClose();
  pair.upstream.sendFrame({
    opcode: Opcode.Close,
    payload: closePayload(close.code === 1005 ? undefined : close.code),
  });
  pair.upstream.end();
  return close;
}

describe.each(WAYS)('on the way "%s"', (name) => {
  let way: Way;
  beforeAll(async () => {
    way = await Way.start(name, { server: { timeouts: { close: '5s' } } });
  });
  afterAll(() => way.stop());

  for (const code of SENDABLE) {
    it(`P4: a Close ${code} of the client reaches the target, is answered with its code and reported`, async () => {
      const pair = await way.open();
      pair.client.sendClose(code, 'because');
      const seen = await answerAtTheFarEnd(pair, name);
      if (seen !== undefined) expect(seen).toEqual({ code, reason: 'because' });
      expect((await pair.client.expectClose()).code).toBe(code);
      expect(await pair.client.waitForEnd()).toBe('fin');
      expect(await pair.receiver.waitFor('closed')).toEqual(['closed', code, 'because']);
    });
  }

  it('P4: an empty Close is answered with an empty one and reported as 1005', async () => {
    const pair = await way.open();
    pair.client.sendClose();
    const seen = await answerAtTheFarEnd(pair, name);
    if (seen !== undefined) expect(seen).toEqual({ code: 1005, reason: '' });
    expect(await pair.client.expectClose()).toEqual({ code: 1005, reason: '' });
    expect(await pair.receiver.waitFor('closed')).toEqual(['closed', 1005, '']);
  });

  it('P4: a reason of 123 bytes crosses whole', async () => {
    const pair = await way.open();
    pair.client.sendClose(4000, LONGEST);
    const seen = await answerAtTheFarEnd(pair, name);
    if (seen !== undefined) expect(seen).toEqual({ code: 4000, reason: LONGEST });
    expect(await pair.receiver.waitFor('closed')).toEqual(['closed', 4000, LONGEST]);
  });

  for (const [what, payload, code] of REFUSED) {
    it(`a Close frame with ${what} is answered with ${code}, which onClosed reports`, async () => {
      const pair = await way.open();
      pair.client.sendFrame({ opcode: Opcode.Close, payload });
      expect((await pair.client.expectClose()).code).toBe(code);
      if (isWebSocket(name)) {
        expect((await pair.upstream.expectClose()).code).toBe(code);
        pair.upstream.end();
      } else if (name !== 'messages alone') {
        await pair.peer.waitForEnd();
        pair.peer.end();
      }
      expect(await pair.client.waitForEnd()).toBe('fin');
      const [, status] = await pair.receiver.waitFor('closed');
      expect(status).toBe(code);
    });
  }

  it('data, pings, rubbish and a second Close after the Close are ignored', async () => {
    const pair = await way.open();
    const { client } = pair;
    client.sendRaw(
      Buffer.concat([
        client.encode({ opcode: Opcode.Text, payload: 'before' }),
        client.encode({ opcode: Opcode.Close, payload: closePayload(4001, 'first') }),
        client.encode({ opcode: Opcode.Text, payload: 'after' }),
        client.encode({ opcode: Opcode.Ping, payload: 'after' }),
        client.encode({ opcode: Opcode.Close, payload: closePayload(4002, 'second') }),
        Buffer.from('after: no frame at all'),
      ]),
    );
    if (isWebSocket(name)) expect(await pair.upstream.nextText()).toBe('before');
    await answerAtTheFarEnd(pair, name);
    expect((await client.expectClose()).code).toBe(4001);
    expect(await client.waitForEnd()).toBe('fin');
    expect(client.received.map((frame) => frame.opcode)).toEqual([Opcode.Close]);
    expect(await pair.receiver.waitFor('closed')).toEqual(['closed', 4001, 'first']);
    if (isWebSocket(name)) expect(pair.upstream.received.map((frame) => frame.opcode)).toEqual([1, Opcode.Close]);
    else if (name !== 'messages alone') expect((await pair.peer.readAll()).toString()).toBe('before');
    else expect(pair.receiver.names).toEqual(['upgrade', 'open', 'text', 'closed']);
  });

  it('P4: a Close inside a fragmented message ends the connection, and the message is given up', async () => {
    const pair = await way.open();
    pair.client.sendFrame({ opcode: Opcode.Text, payload: 'half', fin: false });
    pair.client.sendClose(1000);
    await answerAtTheFarEnd(pair, name);
    expect((await pair.client.expectClose()).code).toBe(1000);
    expect(await pair.receiver.waitFor('closed')).toEqual(['closed', 1000, '']);
    expect(pair.receiver.names).toEqual(['upgrade', 'open', 'closed']);
  });
});

describe.each(WEBSOCKET_WAYS)('on the way "%s", from the target', (name) => {
  let way: Way;
  beforeAll(async () => {
    way = await Way.start(name, { server: { timeouts: { close: '5s' } } });
  });
  afterAll(() => way.stop());

  for (const code of SENDABLE) {
    it(`P4: a Close ${code} of the target reaches the client, whose answer comes back`, async () => {
      const { client, receiver, upstream } = await way.open();
      upstream.sendClose(code, 'because');
      expect(await client.expectClose()).toEqual({ code, reason: 'because' });
      client.sendClose(code);
      expect((await upstream.expectClose()).code).toBe(code);
      upstream.end();
      expect(await client.waitForEnd()).toBe('fin');
      const [, status] = await receiver.waitFor('closed');
      expect(status).toBe(code);
    });
  }

  it('P4: an empty Close of the target reaches the client empty', async () => {
    const { client, receiver, upstream } = await way.open();
    upstream.sendClose();
    expect(await client.expectClose()).toEqual({ code: 1005, reason: '' });
    client.sendClose();
    expect(await upstream.expectClose()).toEqual({ code: 1005, reason: '' });
    expect(await receiver.waitFor('closed')).toEqual(['closed', 1005, '']);
  });

  for (const [what, payload, code] of REFUSED) {
    it(`P4: a Close frame of the target with ${what} is answered with ${code}, and the client gets 1011`, async () => {
      const { client, receiver, upstream } = await way.open();
      upstream.sendFrame({ opcode: Opcode.Close, payload });
      expect((await upstream.expectClose()).code).toBe(code);
      upstream.end();
      const { code: told, end } = await client.answerClose();
      expect({ told, end }).toEqual({ told: 1011, end: 'fin' });
      const [, status] = await receiver.waitFor('closed');
      expect(status).toBe(1011);
    });
  }
});
