/** Owns how a byte target appears to a WebSocket client: the type of its frames, its end, and its half-close. */
import { describe, expect, it } from 'vitest';
import { ConnectionReceiver } from '../../src/index.js';
import { Opcode } from '../support/raw-client.js';
import { RecordingReceiver } from '../support/recording-receiver.js';
import { startProxy, startTcp } from './stage.js';

/** Both data paths that a byte target can have. */
const paths = [
  ['stream', () => new ConnectionReceiver()],
  ['messages', () => new RecordingReceiver()],
] as const;

describe.each(paths)('on the %s path', (dataPath, receiver) => {
  async function pair(options = {}) {
    const target = await startTcp();
    const running = await startProxy({ target: target.url, receiver, ...options });
    const client = await running.open();
    expect(running.server.snapshot().connections[0]?.dataPath).toBe(dataPath);
    return { ...running, client, upstream: await target.nextConnection() };
  }

  describe('frameType text', () => {
    it('makes texts that are cut at code points only, however the bytes come (P2)', async () => {
      const { client, upstream } = await pair({ frameType: 'text' });
      const whole = Buffer.from('aé€😀z');
      for (const byte of whole) {
        upstream.socket.write(Buffer.from([byte]));
        await upstream.drained();
      }
      let got = '';
      while (Buffer.byteLength(got) < whole.length) got += await client.nextText();
      expect(got).toBe('aé€😀z');
      expect(client.received.every(({ opcode, payload }) => opcode === Opcode.Text && payload.length > 0)).toBe(true);
    });

    it('closes with 1011 for bytes that are no text, which is the fault of the target and not of the client', async () => {
      const { client, upstream, events } = await pair({ frameType: 'text' });
      upstream.write(Buffer.from('fine'));
      expect(await client.nextText()).toBe('fine');
      upstream.write(Buffer.from([0xff, 0xfe]));
      expect((await client.answerClose()).code).toBe(1011);
      expect(await events.reports.next()).toMatchObject({
        initiator: 'upstream',
        cause: 'INVALID_UTF8',
        codeSent: 1011,
      });
    });

    it('leaves no character out at the end, but a broken one is never sent', async () => {
      const { client, upstream } = await pair({ frameType: 'text' });
      upstream.end(Buffer.from([0x61, 0xe2, 0x82]));
      expect(await client.nextText()).toBe('a');
      await client.answerClose();
    });
  });

  describe('frameType binary', () => {
    it('makes binary messages of anything', async () => {
      const { client, upstream } = await pair();
      upstream.write(Buffer.from([0xff, 0xfe]));
      expect([...(await client.nextBinary())]).toEqual([0xff, 0xfe]);
    });
  });

  describe('halfClose false', () => {
    it("closes with 1000 after the target's last byte, and the target gets a FIN", async () => {
      const { client, upstream, events } = await pair();
      upstream.end(Buffer.from('last words'));
      expect((await client.nextBinary()).toString()).toBe('last words');
      expect(await client.answerClose()).toMatchObject({ code: 1000, end: 'fin' });
      expect(await upstream.waitForEnd()).toBe('fin');
      expect(await events.reports.next()).toMatchObject({ initiator: 'upstream', cause: 'closed', status: 1000 });
    });
  });

  describe('halfClose true', () => {
    it('lets the client go on sending after the target ended its side', async () => {
      const { client, upstream, events, server } = await pair({ halfClose: true });
      upstream.end(Buffer.from('last words'));
      expect((await client.nextBinary()).toString()).toBe('last words');
      client.sendText('and mine');
      expect((await upstream.read(8)).toString()).toBe('and mine');
      expect(server.snapshot().connections[0]?.state).toBe('open');
      client.sendClose(1000);
      expect(await upstream.waitForEnd()).toBe('fin');
      expect((await client.expectClose()).code).toBe(1000);
      expect(await events.reports.next()).toMatchObject({ initiator: 'downstream', status: 1000 });
    });
  });

  it("answers the client's Close, and ends the target's side behind everything the client sent (P2, P4)", async () => {
    const { client, upstream, events } = await pair();
    client.sendText('one');
    client.sendText('two');
    client.sendClose(4000, 'bye');
    upstream.end();
    expect((await upstream.readAll()).toString()).toBe('onetwo');
    expect((await client.expectClose()).code).toBe(4000);
    expect(await events.reports.next()).toMatchObject({ status: 4000, reason: 'bye', codeReceived: 4000 });
  });

  it('closes with 1011 when the target breaks off (P4)', async () => {
    const { client, upstream, events } = await pair();
    client.sendText('one');
    await upstream.read(3);
    upstream.reset();
    expect((await client.answerClose()).code).toBe(1011);
    expect(await events.reports.next()).toMatchObject({
      initiator: 'upstream',
      cause: 'UPSTREAM_LOST',
      codeSent: 1011,
    });
  });

  it('answers pings itself', async () => {
    const { client } = await pair();
    client.sendPing('hello?');
    expect((await client.nextFrame(Opcode.Pong)).payload.toString()).toBe('hello?');
  });
});
