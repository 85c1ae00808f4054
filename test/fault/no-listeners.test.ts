/** Owns that nothing that happens to a connection ends a process whose application listens to no event. Needs `npm run build`. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeFrame, Opcode, RawClient, requestBytes } from '../support/raw-client.js';
import { RawUpstream } from '../support/raw-upstream.js';
import { connectTcp } from '../support/tcp-peer.js';

const PROGRAM = fileURLToPath(new URL('./no-listeners.mjs', import.meta.url));

describe.each(['/frames', '/messages'])('P5: a process that listens to no event, with connections to %s', (path) => {
  let upstream: RawUpstream;
  let child: ChildProcessByStdio<Writable, Readable, Readable>;
  let port: number;
  let complaints = '';

  beforeAll(async () => {
    upstream = await RawUpstream.start();
    child = spawn(process.execPath, [PROGRAM, upstream.url], { stdio: ['pipe', 'pipe', 'pipe'] });
    child.stderr.on('data', (text: Buffer) => {
      complaints += text.toString();
    });
    const [line] = await Promise.race([
      once(child.stdout, 'data'),
      once(child, 'exit').then(() => Promise.reject(new Error(`it did not start: ${complaints}`))),
    ]);
    port = Number(String(line).trim());
  });

  afterAll(async () => {
    const exited = once(child, 'exit');
    child.stdin.end();
    // It ends by itself once its server is stopped: no timer and no socket is left.
    expect(await exited).toEqual([0, null]);
    expect(complaints).toBe('');
    await upstream.close();
  });

  let count = 0;
  const pairOf = async () => {
    count += 1;
    const client = await RawClient.open({ port, path: `${path}?n=${count}` });
    for (;;) {
      // A client that left early may have got through to the target as well.
      const peer = await upstream.nextConnection();
      if (peer.requestLine.includes(`?n=${count} `)) return { client, peer };
    }
  };

  /** A connection works from end to end. */
  async function expectAlive(): Promise<void> {
    const { client, peer } = await pairOf();
    client.sendText('alive?');
    expect(await peer.nextText()).toBe('alive?');
    client.destroy();
    await peer.waitForEnd();
    expect(child.exitCode).toBe(null);
  }

  it('survives a target that resets', async () => {
    const { client, peer } = await pairOf();
    peer.reset();
    expect((await client.answerClose()).code).toBe(1011);
    await expectAlive();
  });

  it('survives a client that resets', async () => {
    const { client, peer } = await pairOf();
    client.reset();
    await peer.waitForEnd();
    await expectAlive();
  });

  it('survives resets of both in the middle of a flood', async () => {
    const flood = Buffer.alloc(1_000_000, 'x');
    const pairs = [await pairOf(), await pairOf(), await pairOf(), await pairOf()];
    for (const { client, peer } of pairs) {
      client.sendBinary(flood);
      peer.sendBinary(flood);
    }
    pairs.forEach(({ client, peer }, index) => {
      if (index % 2 === 0) client.reset();
      else client.discard();
      peer.reset();
    });
    await Promise.all(pairs.map(({ client }) => client.connection.closed()));
    await expectAlive();
  });

  it('survives bad frames, of either side', async () => {
    const first = await pairOf();
    first.client.sendRaw(Buffer.alloc(100, 0xff));
    expect((await first.client.answerClose()).code).toBe(1002);
    await first.peer.expectClose();
    first.peer.end();
    const second = await pairOf();
    second.peer.sendRaw(Buffer.alloc(100, 0xff));
    expect((await second.client.answerClose()).code).toBe(1011);
    await expectAlive();
  });

  it('survives clients that reset in the middle of the handshake', async () => {
    const request = requestBytes({ port, path });
    for (let cut = 1; cut < request.length; cut += 40) {
      const connection = await connectTcp({ port });
      connection.write(request.subarray(0, cut));
      await connection.drained();
      connection.reset();
    }
    const whole = await connectTcp({ port });
    whole.write(request);
    whole.reset();
    await expectAlive();
  });

  it('survives a write to a client that is gone', async () => {
    const { client, peer } = await pairOf();
    client.destroy();
    const frame = encodeFrame({ opcode: Opcode.Text, payload: 'late' });
    while (peer.ended === undefined) {
      peer.sendRaw(frame);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(child.exitCode).toBe(null);
  });

  it.each(['/throw', '/reject'])('survives an application whose decision fails: %s', async (failing) => {
    expect((await RawClient.handshake({ port, path: failing })).status).toBe(500);
    expect(child.exitCode).toBe(null);
  });

  it.each(['throw', 'reject'])('survives an application whose onText fails: %s', async (text) => {
    const client = await RawClient.open({ port, path: '/messages' });
    client.sendText(text);
    expect((await client.answerClose()).code).toBe(1011);
    expect(child.exitCode).toBe(null);
  });

  it('survives a target that refuses, and one that is gone', async () => {
    upstream.stopListening();
    expect((await RawClient.handshake({ port, path })).status).toBe(502);
    expect(child.exitCode).toBe(null);
  });
});
