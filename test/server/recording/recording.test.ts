/** Owns that what is recorded is what was sent, on every data path and from the middle on, and that the connection does not notice. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { accept, ConnectionReceiver } from '../../../src/index.js';
import { recordedMessages } from '../../../src/server/recording/recorded-messages.js';
import { Deflation } from '../../conformance/deflate-codec.js';
import { openTcp } from '../../support/for-one-test.js';
import { Opcode } from '../../support/raw-client.js';
import type { RawPeer } from '../../support/raw-upstream.js';
import { startEcho, startProxy, startReceivers, startTcp, startUpstream } from '../stage.js';
import { framesOf, payloadOf, Tapes } from './stage.js';

const DONE = '\x0f\xa1done';

async function endTogether(client: { sendClose(code: number, reason: string): boolean }, target: RawPeer) {
  client.sendClose(4001, 'done');
  const { payload } = await target.nextFrame(Opcode.Close);
  target.sendFrame({ opcode: Opcode.Close, payload });
  target.end();
}

describe('a recording', () => {
  it('has every frame as it passed, with fragments, reserved bits and control frames', async () => {
    const tapes = new Tapes();
    const upstream = await startUpstream({ extensions: 'permessage-deflate' });
    const proxy = await startProxy({ target: upstream.url, recording: tapes.options({ rules: [{ path: '/app/*' }] }) });
    tapes.listen(proxy.server);
    const client = await proxy.open({ path: '/app/1', extensions: 'permessage-deflate' });
    const target = await upstream.nextConnection();
    const large = randomBytes(200_000);
    client.sendFrame({ opcode: Opcode.Text, payload: 'one ', fin: false });
    client.sendPing('between');
    client.sendFrame({ opcode: Opcode.Continuation, payload: 'two' });
    client.sendBinary(large);
    await target.nextFrame(Opcode.Binary);
    const deflation = new Deflation(true);
    const said = ['bäck bäck bäck', 'bäck bäck bäck again'];
    const packed = said.map((text) => deflation.compress(Buffer.from(text)));
    for (const payload of packed) target.sendFrame({ opcode: Opcode.Text, payload, rsv1: true });
    target.sendFrame({ opcode: Opcode.Binary, payload: Buffer.alloc(0) });
    await client.nextFrame(Opcode.Binary);
    await endTogether(client, target);
    const recording = await tapes.next();
    const shown = framesOf(recording).map((frame) => {
      return [frame.from, frame.opcode, frame.fin, frame.rsv ?? 0, payloadOf(frame).toString('latin1')];
    });
    expect(shown).toEqual([
      ['client', 1, false, 0, 'one '],
      ['client', 9, true, 0, 'between'],
      ['client', 0, true, 0, 'two'],
      ['client', 2, true, 0, large.toString('latin1')],
      ...packed.map((payload) => ['server', 1, true, 4, payload.toString('latin1')]),
      ['server', 2, true, 0, ''],
      ['client', 8, true, 0, DONE],
      ['server', 8, true, 0, DONE],
    ]);
    expect(recording.header).toMatchObject({ part: 1, midway: false, dataPath: 'frames', transport: 'websocket' });
    expect(recording.header.response).toMatchObject({ status: 101, statusText: 'Switching Protocols' });
    expect(recording.end).toMatchObject({ why: 'closed', report: { status: 4001, reason: 'done' } });
    // Read back, messages are inflated.
    const texts = recordedMessages(recording).filter(({ kind, from }) => kind === 'text' && from === 'server');
    expect(texts.map(({ data, flaw }) => [data.toString(), flaw])).toEqual(said.map((text) => [text, undefined]));
  });

  it('of a receiver that asks for it has what each side was sent, also by the receiver itself', async () => {
    class Upper extends ConnectionReceiver {
      override onUpgradeRequest() {
        return accept({ record: true });
      }
      override onOpen(): void {
        this.connection.send('hello');
      }
      override onText(text: string): void {
        this.connection.send(text.toUpperCase());
      }
    }
    const tapes = new Tapes();
    const server = await startReceivers({ receiver: () => new Upper(), recording: tapes.options() });
    tapes.listen(server.server);
    const client = await server.open();
    client.sendText('abc');
    await client.nextMessage();
    await client.nextMessage();
    server.server.ping('are you there');
    await client.nextFrame(Opcode.Ping);
    client.sendClose(1000);
    const recording = await tapes.next();
    expect(framesOf(recording).map(({ from, opcode, text }) => [from, opcode, text])).toEqual([
      ['server', 1, 'hello'],
      ['client', 1, 'abc'],
      ['server', 1, 'ABC'],
      ['server', 9, 'are you there'],
      ['client', 8, undefined],
      ['server', 8, undefined],
    ]);
    expect(recording.header).toMatchObject({ dataPath: 'messages' });
  });

  it('of a byte target has the frames of its client, and of a plain TCP client the bytes', async () => {
    const tapes = new Tapes();
    const echo = await startEcho();
    const listen = { host: '127.0.0.1', port: 0, protocol: 'any' } as const;
    const recording = tapes.options({ rules: [{ address: '127.0.0.0/8' }] });
    const proxy = await startProxy({ listen, target: echo.url, recording });
    tapes.listen(proxy.server);
    const client = await proxy.open();
    client.sendText('abc');
    await client.nextMessage();
    client.sendClose(1000);
    const ofFrames = await tapes.next();
    expect(framesOf(ofFrames).map(({ from, opcode, text, base64 }) => [from, opcode, text ?? base64])).toEqual([
      ['client', 1, 'abc'],
      ['server', 2, Buffer.from('abc').toString('base64')],
      ['client', 8, Buffer.from([0x03, 0xe8]).toString('base64')],
      ['server', 8, Buffer.from([0x03, 0xe8]).toString('base64')],
    ]);
    const tcp = await openTcp({ port: proxy.port });
    tcp.write('\x01plain');
    expect((await tcp.read(6)).toString()).toBe('\x01plain');
    tcp.end();
    const ofBytes = await tapes.next();
    expect(ofBytes.header).toMatchObject({ transport: 'tcp', dataPath: 'bytes' });
    const bytes = ofBytes.lines.filter((line) => line.type === 'bytes');
    expect(bytes.map(({ from, text }) => [from, text])).toEqual([
      ['client', '\x01plain'],
      ['server', '\x01plain'],
    ]);
  });

  it('that begins and ends midway has whole frames only, also while both sides are inside of one', async () => {
    const tapes = new Tapes();
    const upstream = await startUpstream();
    const proxy = await startProxy({ target: upstream.url, recording: tapes.options() });
    tapes.listen(proxy.server);
    const client = await proxy.open();
    const target = await upstream.nextConnection();
    const long = randomBytes(70_000);
    const frame = client.encode({ opcode: Opcode.Binary, payload: long });
    const back = target.encode({ opcode: Opcode.Binary, payload: long });
    const { id } = proxy.server.connections[0]!;
    client.sendRaw(frame.subarray(0, 30_000));
    target.sendRaw(back.subarray(0, 40_000));
    const received = () => {
      const { received, sent } = proxy.server.connection(id)!.snapshot();
      return received.bytes > 29_000 && sent.bytes > 39_000;
    };
    await expect.poll(received).toBe(true);
    const file = proxy.server.record(id);
    expect(proxy.server.record(id)).toBe(file);
    await new Promise(setImmediate);
    client.sendRaw(Buffer.concat([frame.subarray(30_000), client.encode({ opcode: 1, payload: 'seen' })]));
    target.sendRaw(Buffer.concat([back.subarray(40_000), target.encode({ opcode: 1, payload: 'seen, too' })]));
    expect((await target.nextMessage()).data.equals(long)).toBe(true);
    expect((await client.nextMessage()).data.equals(long)).toBe(true);
    await target.nextMessage();
    await client.nextMessage();
    expect(proxy.server.stopRecording(id)).toBe(true);
    const recording = await tapes.next();
    expect(proxy.server.stopRecording(id)).toBe(false);
    client.sendText('not seen');
    expect((await target.nextMessage()).text).toBe('not seen');
    expect(
      framesOf(recording)
        .map(({ from, text }) => [from, text])
        .sort(),
    ).toEqual([
      ['client', 'seen'],
      ['server', 'seen, too'],
    ]);
    expect(recording.header).toMatchObject({
      midway: true,
      charts: { connection: { open: {} }, upstream: { open: {} } },
    });
    expect(recording.end?.why).toBe('stopped');
  });

  it('of a connection with a rate, put there before or after, has the same', async () => {
    const tapes = new Tapes();
    const target = await startTcp();
    const rules = [{ path: '/ruled' }];
    const proxy = await startProxy({ target: target.url, recording: tapes.options({ rules }) });
    tapes.listen(proxy.server);
    const sent = randomBytes(40_000);
    for (const path of ['/ruled', '/asked']) {
      const client = await proxy.open({ path });
      const peer = await target.nextConnection();
      const [connection] = proxy.server.connections;
      connection!.limitRate({ read: '4Mbit', write: '4Mbit' });
      if (path === '/asked') proxy.server.record(connection!.id);
      await new Promise(setImmediate);
      client.sendBinary(sent);
      expect((await peer.read(sent.length)).equals(sent)).toBe(true);
      peer.write(sent);
      let came = 0;
      while (came < sent.length) came += (await client.nextMessage()).data.length;
      client.sendClose(1000);
      peer.end();
      const recording = await tapes.next();
      const frames = framesOf(recording).filter(({ opcode }) => opcode === 2);
      const by = (side: string) => Buffer.concat(frames.filter(({ from }) => from === side).map(payloadOf));
      expect([by('client').equals(sent), by('server').equals(sent)]).toEqual([true, true]);
    }
  });
});
