/** Owns the WebSocket client that Node.js has built in (undici), in a process of its own: Node.js 20 has it behind a flag. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { RecordingReceiver } from '../support/recording-receiver.js';
import { startProxy, startWsTarget } from './stage.js';

const FLAG = '--experimental-websocket';

// Prints one line of JSON with everything it saw: messages back as kind and length, and how it ended.
const PROGRAM = `
  const socket = new WebSocket(process.argv[1], ['one', 'two']);
  socket.binaryType = 'arraybuffer';
  const seen = [];
  socket.onopen = () => {
    socket.send('grüße');
    socket.send(new Uint8Array(100_000).fill(7));
    socket.send('x'.repeat(1_000_000));
  };
  socket.onmessage = ({ data }) => {
    seen.push(typeof data === 'string' ? 'text ' + data.length : 'bytes ' + new Uint8Array(data).filter((byte) => byte === 7).length);
    if (seen.length === 3) socket.close(...JSON.parse(process.argv[2]));
  };
  socket.onerror = () => seen.push('error');
  let ended = {};
  socket.onclose = ({ code, reason, wasClean }) => {
    ended = { code, reason, wasClean };
  };
  // Not on close: the client of Node.js 20 tells of a refusal by an error alone.
  process.on('exit', () => {
    const { protocol, extensions } = socket;
    console.log(JSON.stringify({ seen, ...ended, protocol, extensions }));
  });
`;

interface Seen {
  readonly seen: readonly string[];
  readonly code?: number;
  readonly reason?: string;
  readonly wasClean?: boolean;
  readonly protocol: string;
  readonly extensions: string;
}

async function runClient(context: TestContext, url: string, close: unknown[]): Promise<Seen> {
  if (!('WebSocket' in globalThis) && !process.allowedNodeEnvironmentFlags.has(FLAG)) {
    return context.skip(`Node.js ${process.version} has no WebSocket client`);
  }
  const flags = 'WebSocket' in globalThis ? [] : [FLAG];
  const child = spawn(process.execPath, [...flags, '-e', PROGRAM, url, JSON.stringify(close)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString();
  });
  await once(child, 'close');
  return JSON.parse(output) as Seen;
}

describe.each(['frames', 'messages'] as const)('the client of Node.js through the %s path', (path) => {
  it('gets everything back, with a subprotocol and compression, and closes in order', async (context) => {
    const target = await startWsTarget({ perMessageDeflate: { threshold: 0 } });
    const proxy = await startProxy({
      target: target.url,
      compression: true,
      ...(path === 'messages' ? { receiver: () => new RecordingReceiver() } : {}),
    });
    const running = runClient(context, proxy.url, [4001, 'enough']);
    const talker = await target.nextTalker();
    talker.socket.on('message', (data, binary) => talker.socket.send(data, { binary }));
    expect(await running).toMatchObject({
      seen: ['text 5', 'bytes 100000', 'text 1000000'],
      protocol: 'one',
      code: 4001,
      reason: 'enough',
      wasClean: true,
    });
    expect(await talker.closed).toEqual({ code: 4001, reason: 'enough' });
  });

  it('sees a refusal as an error', async (context) => {
    const proxy = await startProxy({
      target: 'ws://127.0.0.1:1',
      ...(path === 'messages' ? { receiver: () => new RecordingReceiver() } : {}),
    });
    expect(await runClient(context, proxy.url, [])).toMatchObject({ seen: ['error'] });
  });
});
