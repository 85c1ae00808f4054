/**
 * Owns that Tidegate and the proxies before and behind it agree on where a request ends: nothing that one of them takes for a part
 * of a request is another request to the other. Skips those that are not installed.
 */
import { describe, expect, it, onTestFinished } from 'vitest';
import { runProxy } from '../fault/running.js';
import { eventually } from '../support/events.js';
import { FRONT_PROXIES, startFrontProxy } from '../support/front-proxies.js';
import { RawClient } from '../support/raw-client.js';
import { RawUpstream } from '../support/raw-upstream.js';
import { INNER, SMUGGLING_REQUESTS } from '../support/smuggling.js';
import { connectTcp } from '../support/tcp-peer.js';

/**
 * Sends bytes as they are, and gives everything that came back: until the other side ends, or says nothing any more. A proxy
 * that holds the connection for a next request cannot be waited for, and to end ours would make some drop the answer.
 */
async function exchange(port: number, request: string, isComplete = (_answer: string) => true): Promise<string> {
  const connection = await connectTcp({ port });
  connection.write(Buffer.from(request, 'latin1'));
  let answer = '';
  let heard = performance.now();
  connection.deliverTo((chunk) => {
    answer += chunk.toString('latin1');
    heard = performance.now();
  });
  const isQuiet = () => performance.now() - heard > QUIET && isComplete(answer);
  await eventually(() => connection.ended !== undefined || isQuiet(), 'the answer is there', { instead: () => answer });
  connection.destroy();
  return answer;
}

const QUIET = 100;

const answered = (answer: string): boolean => statusesIn(answer).length > 0;

const statusesIn = (answer: string): string[] =>
  [...answer.matchAll(/^HTTP\/1\.[01] (\d{3}) /gm)].map(([, status]) => status!);

async function startUpstream(): Promise<RawUpstream> {
  const upstream = await RawUpstream.start();
  onTestFinished(() => upstream.close());
  return upstream;
}

async function startTidegate(target: string) {
  const running = await runProxy({ target });
  onTestFinished(() => running.server.stop({ drainTimeout: 0 }));
  const opened: string[] = [];
  running.server.on('connection', ({ request }) => opened.push(request.url));
  return { ...running, opened };
}

async function startFront(name: 'nginx' | 'haproxy', target: number): Promise<number> {
  const front = await startFrontProxy(name, target);
  onTestFinished(() => front.stop());
  return front.port;
}

describe.each(['nginx', 'haproxy'] as const)('%s', (name) => {
  describe.runIf(FRONT_PROXIES[name].isInstalled)('before Tidegate', () => {
    it('passes a handshake on, and messages both ways', async () => {
      const upstream = await startUpstream();
      const { port } = await startTidegate(upstream.url);
      const client = await RawClient.open({ port: await startFront(name, port) });
      onTestFinished(() => client.destroy());
      const peer = await upstream.nextConnection();
      client.sendText('up');
      expect(await peer.nextText()).toBe('up');
      peer.sendText('down');
      expect(await client.nextText()).toBe('down');
    });

    it('and Tidegate see the same requests, in everything that an attacker may send', async () => {
      const upstream = await startUpstream();
      const { port, opened, rejected } = await startTidegate(upstream.url);
      const front = await startFront(name, port);
      const wrong: string[] = [];
      let accepted = 0;
      for (const [round, [what, written]] of SMUGGLING_REQUESTS.entries()) {
        // Its answer has no status line to be counted.
        if (what === 'HTTP/0.9') continue;
        // Paths of the same length, so that a request can be told from those of another round.
        const label = String(round).padStart(3, '0');
        const request = written.replaceAll('/outer', `/ou${label}`).replaceAll('/inner', `/in${label}`);
        const seen = (name: string): number =>
          [...opened, ...rejected.all.map(({ path = '' }) => path)].filter((path) => path.includes(`/${name}${label}`))
            .length;
        const all = (): number => seen('ou') + seen('in');
        const statuses = statusesIn(
          await exchange(front, request, (got) => statusesIn(got).length >= Math.max(1, all())),
        );
        accepted += statuses.filter((status) => status === '101').length;
        // Each request that arrived here has an answer of its own there; only then may the inner one be a request.
        if (all() > statuses.length || (seen('in') > 0 && statuses.length < 2)) {
          wrong.push(`${what}: ${all()} requests, ${seen('in')} of them inner, and the answers ${statuses.join(' ')}`);
        }
      }
      expect(wrong).toEqual([]);
      expect(opened.length).toBe(accepted);
      expect(upstream.accepted).toBe(accepted);
    });
  });

  describe.runIf(FRONT_PROXIES[name].isInstalled)('behind Tidegate', () => {
    it('gets nothing of a request that two may read in two ways', async () => {
      const upstream = await startUpstream();
      const { port, opened } = await startTidegate(`ws://127.0.0.1:${await startFront(name, upstream.port)}`);
      for (const [, request] of SMUGGLING_REQUESTS) {
        expect(statusesIn(await exchange(port, request, answered))).toEqual([expect.stringMatching(/^4/)]);
      }
      expect(opened).toEqual([]);
      expect(upstream.accepted).toBe(0);
    });

    it('refuses, and gets nothing of what follows the handshake', async () => {
      const upstream = await startUpstream();
      const { port, rejected } = await startTidegate(`ws://127.0.0.1:${await startFront(name, upstream.port)}`);
      const answer = await exchange(port, INNER.replace('/inner', '/refused') + INNER, answered);
      expect(statusesIn(answer)).toEqual(['404']);
      expect(answer).toContain('not here');
      expect(await rejected.next()).toMatchObject({ error: 'UPSTREAM_REJECTED', status: 404 });
      expect(upstream.accepted).toBe(0);
    });

    it('gets one request for each connection, however many follow the handshake', async () => {
      const upstream = await startUpstream();
      const { port } = await startTidegate(`ws://127.0.0.1:${await startFront(name, upstream.port)}`);
      const answer = await exchange(port, INNER.replace('/inner', '/outer') + INNER + INNER, answered);
      expect(statusesIn(answer)).toEqual(['101']);
      expect(upstream.peers.map(({ requestLine }) => requestLine)).toEqual(['GET /outer HTTP/1.1']);
    });
  });
});
