/** Owns that docs/reference/control-protocol.md is enough and true: a client that is written from it alone, and its numbers. */
import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { LoadBalancer } from '../../src/index.js';
import { FINAL_REASONS } from '../../src/protocol/control/messages.js';
import { makeProof, proofText } from '../../src/protocol/control/proof.js';
import { fieldsByType } from '../../src/protocol/control/read-message.js';
import { deferred, eventually } from '../support/events.js';

const page = readFileSync(new URL('../../docs/reference/control-protocol.md', import.meta.url), 'utf8');

/** What stands under a heading, up to the next one of the same level or above. */
function section(heading: string): string {
  const lines = page.split('\n');
  const start = lines.findIndex((line) => line.replace(/^#+ /, '') === heading && line.startsWith('#'));
  expect(start, heading).toBeGreaterThan(-1);
  const [level = ''] = lines[start]!.split(' ', 1);
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => /^#+ /.test(line) && line.indexOf(' ') <= level.length);
  return rest.slice(0, end === -1 ? undefined : end).join('\n');
}

describe('the example', () => {
  const example = section('An example');
  const [challenge, register, registered] = [...example.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json]) =>
    JSON.parse(json!),
  );
  const [, text = ''] = /```text\n([\s\S]*?)\n```/.exec(example) ?? [];
  const [, token = ''] = /Token `([^`]+)`/.exec(example) ?? [];

  it('has the proofs that its token makes', () => {
    const hmac = (said: string) => createHmac('sha256', token).update(said).digest('base64url');
    expect(hmac(text)).toBe(register.proof);
    expect(hmac(text.replace(/ backend$/m, ' balancer'))).toBe(registered.proof);
  });

  it('is what this implementation signs', () => {
    const { balancer, nonce } = challenge;
    const parts = { balancer, challenge: nonce, nonce: register.nonce, id: register.id, bindings: register.bindings };
    expect(proofText('backend', parts)).toBe(text);
    expect(makeProof(token, 'backend', parts)).toBe(register.proof);
    expect(makeProof(token, 'balancer', parts)).toBe(registered.proof);
  });
});

describe('the page', () => {
  it.each(Object.entries(fieldsByType()))('tells every field of %s', (type, fields) => {
    const heading = ['ready', 'drain', 'resume', 'leave'].includes(type)
      ? '`ready`, `drain`, `resume`, `leave`'
      : `\`${type}\``;
    const told = [...section(heading).matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name!);
    for (const field of fields) if (field !== 'type') expect(told).toContain(field);
  });

  it('tells every reason of a refusal, and which are final', () => {
    const source = readFileSync(new URL('../../src/protocol/control/messages.ts', import.meta.url), 'utf8');
    const [, union = ''] = /export type RefusalReason =([\s\S]*?);/.exec(source) ?? [];
    const reasons = [...union.matchAll(/\| '([a-z-]+)'/g)].map(([, reason]) => reason!);
    const rows = [...section('Refusals').matchAll(/^\| `([a-z-]+)` \|.*\| ([a-z ]+) \|$/gm)].slice(1);
    expect(rows.map(([, reason]) => reason)).toEqual(reasons);
    expect(rows.filter(([, , back]) => back === 'no').map(([, reason]) => reason)).toEqual(FINAL_REASONS);
  });
});

describe('a client that is written from the page', () => {
  it('registers, stays, drains, comes back and leaves', async () => {
    const token = randomBytes(32).toString('base64');
    const balancer = new LoadBalancer({
      listen: '127.0.0.1:0',
      control: { path: '/.tidegate/control', tokens: [token], lease: 600 },
      health: { check: 'off' },
    });
    onTestFinished(() => balancer.stop({ drainTimeout: 0 }));
    const [address] = await balancer.start();

    // From here to the assertions, nothing of Tidegate: the channel, the challenge, the proof, the lease.
    const socket = new WebSocket(`${address!.url}/.tidegate/control`, 'tidegate.control.v1');
    const id = 'from-the-page';
    const bindings = ['ws://127.0.0.1:9/chat'];
    const own = randomBytes(16).toString('base64url');
    let text: string[] = [];
    let beat: NodeJS.Timeout | undefined;
    let loads = 0;
    const states: string[] = [];
    const closed = deferred<number>();
    const sign = (lines: string[]) => createHmac('sha256', token).update(lines.join('\n')).digest('base64url');
    const say = (message: object) => socket.send(JSON.stringify(message));
    socket.on('message', (data) => {
      const message = JSON.parse(String(data));
      if (message.type === 'challenge') {
        text = [message.balancer, message.nonce, own, id, ...bindings];
        const proof = sign(['tidegate.control.v1 backend', ...text]);
        say({ type: 'register', version: 1, id, nonce: own, proof, bindings, ready: false });
      } else if (message.type === 'registered') {
        if (message.proof !== sign(['tidegate.control.v1 balancer', ...text])) socket.terminate();
        beat = setInterval(() => {
          say({ type: 'load', connections: 3 });
          loads += 1;
        }, message.leaseMs / 3);
        say({ type: 'ready' });
      } else if (message.type === 'state') states.push(message.state);
    });
    socket.on('close', (code) => {
      clearInterval(beat);
      closed.resolve(code);
    });
    onTestFinished(() => socket.terminate());

    const backend = () => balancer.backends()[0];
    await eventually(() => backend()?.state === 'ready', 'it is ready');
    await eventually(() => backend()?.load === 3, 'its load is known');
    // Three in a lease.
    await eventually(() => loads >= 7, 'two leases are over');
    expect(backend()).toMatchObject({ state: 'ready', generation: 1, bindings });
    say({ type: 'drain' });
    await eventually(() => backend()?.state === 'draining', 'it drains');
    say({ type: 'resume' });
    await eventually(() => backend()?.state === 'ready', 'it is back');
    say({ type: 'leave' });
    expect(await closed.promise).toBe(1000);
    expect(balancer.backends()).toEqual([]);
    expect(states).toEqual(['ready', 'draining', 'ready']);
  });
});
