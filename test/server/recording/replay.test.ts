/** Owns that a recording can be played again from either end, and that what is different is found. */
import { describe, expect, it } from 'vitest';
import { ConnectionReceiver } from '../../../src/index.js';
import { runCli } from '../../../src/server/cli/run-cli.js';
import type { Recording } from '../../../src/server/recording/read-recording.js';
import { replayAsClient, replayAsTarget } from '../../../src/testing.js';
import { Deflation } from '../../conformance/deflate-codec.js';
import { openClient, openTcp } from '../../support/for-one-test.js';
import { Opcode } from '../../support/raw-client.js';
import { startEcho, startProxy, startReceivers, startUpstream } from '../stage.js';
import { Tapes } from './stage.js';

class Greeter extends ConnectionReceiver {
  override onOpen(): void {
    this.connection.send('welcome');
  }
  override onText(text: string): void {
    this.connection.send(text.toUpperCase());
  }
  override onBinary(data: Uint8Array): void {
    this.connection.send(data);
  }
}

class Changed extends Greeter {
  override onText(): void {
    this.connection.send('\u001b[2J another');
  }
}

class Chatty extends Greeter {
  override onText(text: string): void {
    super.onText(text);
    this.connection.send('one more');
  }
}

/** A conversation with a {@link Greeter}, and the file it is in. */
async function conversation(): Promise<{ recording: Recording; file: string }> {
  const tapes = new Tapes();
  const { server, open } = await startReceivers({
    receiver: () => new Greeter(),
    recording: tapes.options({ rules: [{}] }),
  });
  tapes.listen(server);
  const client = await open({ path: '/room?token=secret', headers: { Authorization: 'Basic x' } });
  await client.nextMessage();
  client.sendFrame({ opcode: Opcode.Text, payload: 'hel', fin: false });
  client.sendFrame({ opcode: Opcode.Continuation, payload: 'lo' });
  await client.nextMessage();
  client.sendBinary(Buffer.from([0, 1, 255]));
  await client.nextMessage();
  client.sendClose(3000, 'bye');
  const { file } = await tapes.nextEnd();
  return { recording: await tapes.read(file), file: `${tapes.folder}/${file}` };
}

async function serve(receiver: () => ConnectionReceiver): Promise<string> {
  const { port } = await startReceivers({ receiver });
  return `ws://127.0.0.1:${port}/room`;
}

async function cli(...args: string[]) {
  const out = { stdout: '', stderr: '' };
  const to = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      out[name] += text;
    },
  });
  const code = await runCli(args, { stdout: to('stdout'), stderr: to('stderr'), env: {} });
  return { code, ...out };
}

describe('a recording that is played as its client', () => {
  it('is the same conversation with the same server, at any speed', async () => {
    const { recording } = await conversation();
    const target = await serve(() => new Greeter());
    for (const speed of [1, 100, 'max'] as const) {
      const report = await replayAsClient(recording, { target, speed, expect: true });
      expect(report).toMatchObject({ sent: 2, received: 3, expected: 3, skipped: 0, ended: { code: 3000 } });
      expect(report.difference).toBeUndefined();
    }
  });

  it('shows the first message that is another one, one that is missing, and one too many', async () => {
    const { recording } = await conversation();
    const play = async (receiver: () => ConnectionReceiver) =>
      (await replayAsClient(recording, { target: await serve(receiver), speed: 'max', expect: true, timeout: 200 }))
        .difference;
    expect(await play(() => new Changed())).toMatchObject({
      message: 2,
      expected: 'text "HELLO"',
      got: 'text "\\u001b[2J another"',
    });
    expect(await play(() => new Chatty())).toMatchObject({ message: 3, got: 'text "one more"' });
    expect(await play(() => new ConnectionReceiver())).toMatchObject({ message: 1, got: 'nothing' });
  });

  it('says when there is nobody to play to', async () => {
    const { recording } = await conversation();
    const play = (target: string) => replayAsClient(recording, { target, timeout: 500 });
    await expect(play('tcp://127.0.0.1:1')).rejects.toMatchObject({ code: 'REPLAY_FAILED' });
    await expect(play('no url')).rejects.toMatchObject({ code: 'REPLAY_FAILED' });
    await expect(play('ws://127.0.0.1:1/')).rejects.toThrow('ECONNREFUSED');
    const { url, done } = await replayAsTarget(recording, { timeout: 50 });
    expect(url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+$/);
    await expect(done).rejects.toThrow('waited for a client');
  });
});

describe('a recording that is played as its target', () => {
  it('says what was said when the client has said what it said', async () => {
    const { recording } = await conversation();
    const { url, done } = await replayAsTarget(recording, { speed: 'max', expect: true });
    const client = await openClient({ port: Number(new URL(url).port) });
    expect((await client.nextMessage()).text).toBe('welcome');
    client.sendText('hello');
    expect((await client.nextMessage()).text).toBe('HELLO');
    client.sendBinary(Buffer.from([0, 1, 255]));
    expect((await client.nextMessage()).data).toEqual(Buffer.from([0, 1, 255]));
    client.sendClose(3000, 'bye');
    expect(await done).toMatchObject({ sent: 3, received: 2, difference: undefined });
  });

  it('gets on with the same recording played as its client', async () => {
    const { recording } = await conversation();
    const { url, done } = await replayAsTarget(recording, { expect: true });
    const played = await replayAsClient(recording, { target: url, expect: true });
    expect([played.difference, (await done).difference]).toEqual([undefined, undefined]);
  });

  it('and was of a plain TCP client, is a stream however it is cut', async () => {
    const tapes = new Tapes();
    const echo = await startEcho();
    const listen = { host: '127.0.0.1', port: 0, protocol: 'tcp' } as const;
    const proxy = await startProxy({ listen, target: echo.url, recording: tapes.options({ rules: [{}] }) });
    tapes.listen(proxy.server);
    const tcp = await openTcp({ port: proxy.port });
    tcp.write('abc');
    await tcp.read(3);
    tcp.write('def');
    await tcp.read(3);
    tcp.end();
    const recording = await tapes.next();
    const report = await replayAsClient(recording, { target: echo.url, speed: 'max', expect: true });
    expect(report).toMatchObject({ sent: 2, difference: undefined });
    const { url, done } = await replayAsTarget(recording, { speed: 'max', expect: true });
    const other = await openTcp({ port: Number(new URL(url).port) });
    other.write('abX');
    expect(await done).toMatchObject({ difference: { expected: 'from byte 2: "c"', got: '"X"' } });
  });
});

describe('what was compressed', () => {
  it('is played as it was before', async () => {
    const tapes = new Tapes();
    const upstream = await startUpstream({ extensions: 'permessage-deflate' });
    const proxy = await startProxy({ target: upstream.url, recording: tapes.options({ rules: [{}] }) });
    tapes.listen(proxy.server);
    const client = await proxy.open({ extensions: 'permessage-deflate' });
    const target = await upstream.nextConnection();
    const deflation = new Deflation(true);
    for (const text of ['again and again', 'again and again and again'])
      client.sendFrame({ opcode: Opcode.Text, payload: deflation.compress(Buffer.from(text)), rsv1: true });
    await target.nextFrame();
    await target.nextFrame();
    target.reset();
    client.reset();
    const recording = await tapes.next();
    const receivers = await startReceivers({ receiver: () => new Greeter() });
    const url = `ws://127.0.0.1:${receivers.port}/`;
    const report = await replayAsClient(recording, { target: url, speed: 'max' });
    expect(report).toMatchObject({ sent: 2, skipped: 0 });
  });
});

describe('the command line', () => {
  it('shows, exports and reruns a recording, and plays it', async () => {
    const { file } = await conversation();
    const shown = await cli('recording', 'show', file);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain('request     GET /room?token=[redacted]');
    expect(shown.stdout).toMatch(/-> text \(3 bytes, not final\) "hel"\n.*-> continuation \(2 bytes\) "lo"/);
    expect(shown.stdout).toMatch(/\*\* decision\.accept: connection\.open/);
    const har = JSON.parse((await cli('recording', 'har', file)).stdout) as { log: { version: string } };
    expect(har.log.version).toBe('1.2');
    expect(await cli('recording', 'rerun', file)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+ steps run again, every one to the same state\n$/),
    });
    const target = await serve(() => new Greeter());
    const same = await cli('replay', file, '--target', target, '--expect', '--speed', 'max');
    expect(same).toMatchObject({ code: 0, stdout: expect.stringContaining('sent 2 messages, got 3 of 3') });
    const other = await serve(() => new Changed());
    const changed = await cli('replay', file, '--target', other, '--expect', '--speed', '50', '--timeout', '200ms');
    expect(changed.code).toBe(1);
    expect(changed.stdout).toContain('  then: text "HELLO"\n  now:  text "\\u001b[2J another"\n');
    for (const args of [[], ['--target', target, '--listen', '0'], ['--speed', '0'], ['--listen', 'x:y:z']])
      expect((await cli('replay', file, ...args)).code).toBe(2);
    expect(await cli('recording', 'show', '/nowhere')).toMatchObject({ code: 1 });
  });
});
