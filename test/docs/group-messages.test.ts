/** Owns that what docs/reference/control-protocol.md says about messages for clients is what is read and what happens. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MAX_GROUP_MESSAGE_BYTES } from '../../src/protocol/control/group-action.js';
import { readBackendMessage, readBalancerMessage } from '../../src/protocol/control/read-message.js';
import { inState, RawBackend } from '../server/control/stage.js';
import { startGroup } from '../server/group-stage.js';

const page = readFileSync(new URL('../../docs/reference/control-protocol.md', import.meta.url), 'utf8');
const [, part = ''] = /### A broadcast, message by message\n([\s\S]*?)\n## /.exec(page) ?? [];
const [asked, handedOn, answered, result] = [...part.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json]) =>
  JSON.parse(json!),
);

describe('the broadcast of the page', () => {
  it('is read as it stands, by whoever gets it', () => {
    for (const message of [asked, answered]) {
      expect(readBackendMessage(JSON.stringify(message))).toEqual({ message });
    }
    for (const message of [handedOn, result]) {
      expect(readBalancerMessage(JSON.stringify(message))).toEqual({ message });
    }
  });

  it('happens as it stands between backends that are written by hand', async () => {
    const { balancer, control } = await startGroup();
    const backends: RawBackend[] = [];
    for (const id of ['chat-1', 'chat-2']) {
      const backend = await RawBackend.open(control);
      await backend.register({ id, features: ['messages'] });
      await inState(balancer, id, 'ready');
      // It is told that it is ready.
      await backend.next();
      backends.push(backend);
    }
    const [first, second] = backends as [RawBackend, RawBackend];
    first.send({ ...asked, origin: 'chat-1' });
    const { id, ...command } = await second.next();
    const { id: _, ...expected } = handedOn;
    expect(command).toEqual({ ...expected, origin: 'chat-1' });
    second.send({ ...answered, id, reached: ['chat-2'] });
    const told = await first.next();
    expect(told).toEqual({
      ...result,
      lost: [],
      reached: expect.arrayContaining(['chat-2', first.challenge.balancer]),
    });
    // Nobody else has anybody in the channel; the three servers were asked as well.
    expect(told.reached).toHaveLength(5);
  });
});

describe('a message for clients', () => {
  it('has at most as many bytes as the page says', () => {
    const [, megabytes] = /has at most (\d+) MiB as it goes to clients/.exec(page) ?? [];
    expect(MAX_GROUP_MESSAGE_BYTES).toBe(Number(megabytes) * 1024 * 1024);
  });

  it('of the largest size is read without a place on the stack for each of its bytes', () => {
    const base64 = Buffer.alloc(MAX_GROUP_MESSAGE_BYTES, 7).toString('base64');
    const large = { ...asked, action: { verb: 'broadcast', message: { base64 } } };
    expect(readBackendMessage(JSON.stringify(large))).toEqual({ message: large });
    large.action.message.base64 = `${base64.slice(0, -1)}!`;
    expect(readBackendMessage(JSON.stringify(large))).toMatchObject({ why: 'malformed' });
  });
});
