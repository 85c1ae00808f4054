/** Owns the hook `connect`: sockets, streams that are none, and everything it can answer wrongly. */
import net from 'node:net';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { describe, expect, it } from 'vitest';
import { type ConnectHook, type Target, TidegateError } from '../../src/index.js';
import { deferred, eventually } from '../support/events.js';
import { localhostCertificate } from '../support/tls.js';
import { startEcho, startProxy, startUpstream } from './stage.js';

const { cert: ca } = localhostCertificate;

/** One end of a pipe in memory, which hands on the very bytes it is given, and holds back as a stream does. */
class PipeEnd extends Duplex {
  other!: PipeEnd;
  #taken: (() => void) | undefined;

  override _read(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.other.#taken = done;
    this.other.push(chunk);
  }

  override _final(done: () => void): void {
    this.other.push(null);
    done();
  }
}

function pipe(): [Duplex, Duplex] {
  const ends = [new PipeEnd(), new PipeEnd()] as const;
  ends[0].other = ends[1];
  ends[1].other = ends[0];
  return [...ends];
}

/** Echoes a message. */
async function echoed(open: Awaited<ReturnType<typeof startProxy>>['open'], text = 'hello'): Promise<string> {
  const client = await open();
  client.sendBinary(Buffer.from(text));
  let answer = '';
  while (answer.length < text.length) answer += (await client.nextBinary()).toString();
  return answer;
}

describe('a stream of the hook', () => {
  it('may be a socket that is still connecting, or one that is connected', async () => {
    const target = await startEcho();
    const asked: Target[] = [];
    const connecting: ConnectHook = (to) => {
      asked.push(to);
      return net.connect(target.port, '127.0.0.1');
    };
    const connected: ConnectHook = async () => {
      const socket = net.connect(target.port, '127.0.0.1');
      await new Promise((resolve) => socket.once('connect', resolve));
      return socket;
    };
    for (const connect of [connecting, connected]) {
      const { open } = await startProxy({ target: 'tcp://nowhere.example:1', connect });
      expect(await echoed(open)).toBe('hello');
    }
    expect(asked).toMatchObject([{ kind: 'tcp', host: 'nowhere.example', port: 1, href: 'tcp://nowhere.example:1' }]);
  });

  it('may be any Duplex: a large message crosses a small pipe whole, and its end is the end', async () => {
    const { open, events } = await startProxy({
      target: 'tcp://nowhere.example:1',
      connect: () => {
        const [ours, theirs] = pipe();
        theirs.on('data', (chunk) => {
          if (!theirs.write(chunk)) {
            theirs.pause();
            theirs.once('drain', () => theirs.resume());
          }
          if (String(chunk).endsWith('!')) theirs.end();
        });
        return ours;
      },
    });
    const text = `${'0123456789'.repeat(100_000)}!`;
    const client = await open();
    client.sendBinary(Buffer.from(text));
    let answer = '';
    while (answer.length < text.length) answer += (await client.nextBinary()).toString();
    expect(answer).toBe(text);
    expect(await client.answerClose()).toMatchObject({ code: 1000 });
    expect(await events.reports.next()).toMatchObject({ cause: 'closed', initiator: 'upstream', codeSent: 1000 });
  });

  it('carries the WebSocket handshake and TLS for a wss target, unless it is TLS already', async () => {
    const upstream = await startUpstream({ tls: localhostCertificate });
    const hooks: ConnectHook[] = [
      () => net.connect(upstream.port, '127.0.0.1'),
      () => tls.connect({ port: upstream.port, host: '127.0.0.1', ca, servername: 'localhost' }),
      () => {
        const [ours, theirs] = pipe();
        const socket = net.connect(upstream.port, '127.0.0.1');
        socket.on('error', () => theirs.destroy());
        socket.pipe(theirs).pipe(socket);
        return ours;
      },
    ];
    for (const connect of hooks) {
      const { open } = await startProxy({ target: 'wss://localhost/chat', upstreamTls: { ca }, connect });
      const client = await open();
      client.sendText('one');
      const peer = await upstream.nextConnection();
      expect(await peer.nextText()).toBe('one');
      peer.sendText('two');
      expect(await client.nextText()).toBe('two');
      client.destroy();
    }
  });

  it('is destroyed with the connection', async () => {
    const [ours] = pipe();
    const { open } = await startProxy({
      target: 'tcp://nowhere.example:1',
      timeouts: { close: 100 },
      connect: () => ours,
    });
    const client = await open();
    client.destroy();
    await eventually(() => ours.destroyed, 'the stream is destroyed');
  });

  it('may be undefined: the target is dialled as usual', async () => {
    const { url: target } = await startEcho();
    const { open } = await startProxy({ target, connect: () => undefined });
    expect(await echoed(open)).toBe('hello');
  });
});

describe('a hook that fails', () => {
  it.each<[string, ConnectHook, string]>([
    [
      'throws',
      () => {
        throw new Error('no tunnel');
      },
      'no tunnel',
    ],
    ['rejects', () => Promise.reject(new Error('no tunnel')), 'no tunnel'],
    ['answers a word', (() => 'stream') as unknown as ConnectHook, 'connect answered string, which is no Duplex'],
    ['answers null', (() => null) as unknown as ConnectHook, 'connect answered object, which is no Duplex'],
    ['answers what is over', () => pipe()[0].destroy(), 'connect answered a stream that is destroyed'],
    ['answers a socket that cannot connect', () => net.connect(1, '127.0.0.1'), 'ECONNREFUSED'],
  ])('because it %s is 502', async (_, connect, message) => {
    const { handshake, events } = await startProxy({ target: 'tls://nowhere.example:1', connect });
    const { status, body } = await handshake();
    expect(status).toBe(502);
    expect(body).not.toContain('tunnel');
    expect(await events.rejections.next()).toMatchObject({
      error: 'UPSTREAM_REFUSED',
      message: expect.stringContaining(message),
    });
  });

  it('with a TidegateError keeps its code', async () => {
    const connect: ConnectHook = () => Promise.reject(new TidegateError('TARGET_DENIED', 'not today'));
    const { handshake } = await startProxy({ target: 'tcp://nowhere.example:1', connect });
    expect((await handshake()).status).toBe(403);
  });

  it('is told when nobody waits any more, and what it answers then is destroyed', async () => {
    const answer = deferred<Duplex>();
    const aborted = deferred<unknown>();
    const { handshake } = await startProxy({
      target: 'tcp://nowhere.example:1',
      timeouts: { dial: 50 },
      connect: (_, { signal }) => {
        signal.addEventListener('abort', () => aborted.resolve(signal.reason));
        return answer.promise;
      },
    });
    expect((await handshake()).status).toBe(504);
    await aborted.promise;
    const [late] = pipe();
    answer.resolve(late);
    await eventually(() => late.destroyed, 'the late stream is destroyed');
  });
});
