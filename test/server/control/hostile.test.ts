/** Owns that a registration which is not to be changes nothing, is told and counted, and harms nobody. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { LoadBalancer, RefusedRegistration } from '../../../src/index.js';
import { eventually } from '../../support/events.js';
import { handshake } from '../stage.js';
import {
  Client,
  createAgent,
  inState,
  RawBackend,
  type RunningBalancer,
  registerByHand,
  startBackend,
  startBalancer,
} from './stage.js';

/** A balancer with one good backend, and a client on it. */
async function inUse(options: Parameters<typeof startBalancer>[0] = {}) {
  const running = await startBalancer(options);
  const { url: own } = await startBackend('good');
  const agent = createAgent({ balancer: running.control, advertise: own, id: 'good' });
  agent.start();
  await inState(running.balancer, 'good', 'ready');
  const client = await Client.open(running.url);
  await client.ask('before');
  await eventually(() => running.balancer.backends()[0]!.load === 1, 'the client is counted');
  return { ...running, agent, client };
}

/** What a test compares: nothing of it may be otherwise afterwards. */
function backendsOf(balancer: LoadBalancer): unknown {
  return balancer.backends();
}

function refusalsOf(balancer: LoadBalancer): RefusedRegistration[] {
  const refused: RefusedRegistration[] = [];
  balancer.on('registration.refused', (one) => refused.push(one));
  return refused;
}

/** Everything that a stranger may say first, and the word for it. */
const FIRST_WORDS: ReadonlyArray<[string, string, (backend: RawBackend) => string | Buffer]> = [
  ['no proof', 'unauthorized', (one) => JSON.stringify(one.registration({ proof: undefined }))],
  [
    'a proof by another token',
    'unauthorized',
    (one) => JSON.stringify(one.registration({}, 'another secret of enough length')),
  ],
  ['a proof for another id', 'unauthorized', (one) => JSON.stringify({ ...one.registration({ id: 'x' }), id: 'good' })],
  [
    'a proof for other addresses',
    'unauthorized',
    (one) => JSON.stringify({ ...one.registration(), bindings: ['ws://127.0.0.1:1'] }),
  ],
  ['a proof of another length', 'malformed', (one) => JSON.stringify(one.registration({ proof: 'c2hvcnQ' }))],
  ['no JSON', 'malformed', () => '{"type":"register"'],
  ['a list', 'malformed', () => '[]'],
  ['null', 'malformed', () => 'null'],
  ['nothing of a type', 'malformed', () => '{}'],
  ['a type that is no text', 'malformed', () => '{"type":{"toString":1}}'],
  ['a load before a registration', 'malformed', () => '{"type":"load","connections":1}'],
  ['a type that nobody knows', 'malformed', () => '{"type":"__proto__"}'],
  ['no id', 'malformed', (one) => JSON.stringify(one.registration({ id: undefined }))],
  ['an id with a line feed', 'malformed', (one) => JSON.stringify(one.registration({ id: 'a\nb' }))],
  ['no address', 'malformed', (one) => JSON.stringify(one.registration({ bindings: [] }))],
  ['an address with a line feed', 'malformed', (one) => JSON.stringify(one.registration({ bindings: ['ws://a\nb'] }))],
  ['a weight of nothing', 'malformed', (one) => JSON.stringify(one.registration({ weight: 0 }))],
  ['a short nonce', 'malformed', (one) => JSON.stringify(one.registration({ nonce: 'short' }))],
  ['another version', 'unsupported', (one) => JSON.stringify(one.registration({ version: 2 }))],
  ['more than 64 KiB', 'too-large', (one) => JSON.stringify(one.registration({ padding: 'x'.repeat(66_000) }))],
  ['binary', 'malformed', (one) => Buffer.from(JSON.stringify(one.registration()))],
];

describe('a stranger that says', () => {
  it.each(FIRST_WORDS)('%s is refused as %s, told why, and changes nothing', async (_what, why, words) => {
    const { balancer, control, client } = await inUse();
    const refused = refusalsOf(balancer);
    const before = backendsOf(balancer);
    const stranger = await RawBackend.open(control);
    stranger.client.socket.send(words(stranger));
    expect(await stranger.next()).toMatchObject({ type: 'refused', why, message: expect.stringMatching(/\S/) });
    expect(await stranger.client.end()).toEqual({ code: 1008, reason: why });
    expect(refused).toMatchObject([{ why, remoteAddress: '127.0.0.1' }]);
    expect(balancer.snapshot().registrations).toEqual({ accepted: 1, refused: 1, byReason: { [why]: 1 } });
    expect(balancer.snapshot().refused.byError.REGISTRATION_REFUSED).toBe(1);
    expect(backendsOf(balancer)).toEqual(before);
    expect(await client.ask('after')).toBe('good: after');
  });
});

describe('a stranger', () => {
  it.each([
    ['in one frame', true],
    ['in many', false],
  ])('that says far too much %s is cut before it is kept, and counted', async (_how, fin) => {
    const { balancer, control, client } = await inUse();
    const stranger = await RawBackend.open(control);
    for (let piece = 0; piece < (fin ? 1 : 40); piece += 1) {
      stranger.client.socket.send('x'.repeat(fin ? 10_000_000 : 10_000), { fin });
    }
    expect(await stranger.client.end()).toMatchObject({ code: 1009 });
    await eventually(() => balancer.snapshot().registrations.refused === 1, 'it is counted');
    expect(balancer.snapshot()).toMatchObject({ heldBytes: 0, registrations: { byReason: { 'too-large': 1 } } });
    expect(await client.ask('after')).toBe('good: after');
  });

  it('has as much to say as it may once it is known', async () => {
    const { balancer, control } = await startBalancer();
    const backend = await registerByHand(control, { id: 'a' });
    backend.send({ type: 'later', version: 'x'.repeat(60_000) });
    backend.send({
      type: 'command',
      id: '1',
      origin: 'a',
      epoch: 'e',
      sequence: 1,
      hops: 1,
      waitMs: 10,
      action: { verb: 'broadcast', message: { text: 'x'.repeat(1_000_000) } },
    });
    backend.send({ type: 'load', connections: 6 });
    await eventually(() => balancer.backends()[0]?.load === 6, 'it is heard behind that');
  });
});

describe('a registration', () => {
  it('cannot be said again on another channel, and the answer of the balancer is no proof either', async () => {
    const { balancer, control } = await startBalancer();
    const first = await RawBackend.open(control);
    const said = first.registration({ id: 'a' });
    first.send(said);
    const { proof } = await first.next();
    for (const again of [said, { ...said, proof }]) {
      const other = await RawBackend.open(control);
      other.send(again);
      expect(await other.next()).toMatchObject({ type: 'refused', why: 'unauthorized' });
    }
    expect(balancer.backends()).toMatchObject([{ id: 'a', generation: 1, state: 'ready' }]);
  });

  it('comes once on a channel; another one ends it', async () => {
    const { balancer, control } = await startBalancer();
    const backend = await registerByHand(control, { id: 'a' });
    backend.send(backend.registration({ id: 'b' }));
    expect(await backend.next()).toMatchObject({ type: 'state' });
    expect(await backend.next()).toMatchObject({ type: 'refused', why: 'malformed' });
    await inState(balancer, 'a', 'none');
    expect(balancer.backends()).toEqual([]);
  });

  it('is refused for an id of the configuration or of an operator, whoever asks', async () => {
    const backends = [{ url: 'ws://127.0.0.1:9', id: 'fixed' }];
    const { balancer, control } = await startBalancer({ backends });
    balancer.addBackend({ url: 'ws://127.0.0.1:10', id: 'added' });
    const before = backendsOf(balancer);
    for (const id of ['fixed', 'added']) {
      const backend = await RawBackend.open(control);
      expect(await backend.register({ id })).toMatchObject({ type: 'refused', why: 'owned' });
    }
    expect(backendsOf(balancer)).toEqual(before);
  });

  it.each([
    ['ws://0.0.0.0:9000', 'leads nowhere'],
    ['ws://[::]:9000', 'leads nowhere'],
    ['ws://169.254.169.254/', 'leads nowhere'],
    ['tcp://127.0.0.1:9000', 'another scheme'],
    ['http://127.0.0.1:9000', 'use ws:'],
    ['unix:/run/a.sock', 'a file of one machine'],
    ['ws://user:password@127.0.0.1:9000', 'credentials'],
    ['ws://:9000', 'the host is missing'],
    ['nonsense', 'cannot be used'],
  ])('with the address %s is refused, and says that it %s', async (binding, text) => {
    const { balancer, control } = await startBalancer();
    const backend = await RawBackend.open(control);
    const answer = await backend.register({ bindings: ['ws://127.0.0.1:9', binding] });
    expect(answer).toMatchObject({ type: 'refused', why: 'invalid', message: expect.stringContaining(text) });
    expect(balancer.backends()).toEqual([]);
  });

  it('changes no address to a wrong one later either', async () => {
    const { balancer, control } = await startBalancer();
    const backend = await registerByHand(control, { id: 'a' });
    expect(await backend.next()).toMatchObject({ type: 'state' });
    backend.send({ type: 'update', bindings: ['ws://0.0.0.0:1'] });
    expect(await backend.next()).toMatchObject({ type: 'refused', why: 'invalid' });
    await inState(balancer, 'a', 'none');
  });

  it('is refused when there are as many backends as there may be, but not that of one of them', async () => {
    const { balancer, control } = await startBalancer({ control: { maxBackends: 2 } });
    await registerByHand(control, { id: 'a' });
    await registerByHand(control, { id: 'b' });
    const third = await RawBackend.open(control);
    expect(await third.register({ id: 'c' })).toMatchObject({ type: 'refused', why: 'full' });
    await registerByHand(control, { id: 'b' });
    expect(balancer.backends()).toMatchObject([
      { id: 'a', generation: 1 },
      { id: 'b', generation: 2 },
    ]);
  });

  it('may have fields and messages of a later version', async () => {
    const { balancer, control } = await startBalancer();
    const backend = await registerByHand(control, { id: 'a', colour: 'blue' });
    backend.send({ type: 'colour', of: 'blue' });
    backend.send({ type: 'load', connections: 4, colour: 'blue' });
    await eventually(() => balancer.backends()[0]?.load === 4, 'the load was taken');
  });
});

describe('strangers', () => {
  it('that say nothing are refused after the deadline of the handshake', async () => {
    const { balancer, control, client } = await inUse({ timeouts: { handshake: 150 } });
    const silent = await RawBackend.open(control);
    expect(await silent.next()).toMatchObject({ type: 'refused', why: 'timeout' });
    expect((await silent.client.end()).code).toBe(1008);
    expect(balancer.snapshot().registrations.byReason).toEqual({ timeout: 1 });
    expect(await client.ask('after')).toBe('good: after');
  });

  it('that come by the hundred and say nothing keep no backend out', async () => {
    const running = await inUse({ control: { maxBackends: 10 } });
    const { balancer, control } = running;
    const crowd = await openMany(running, 300);
    await registerByHand(control, { id: 'late' });
    await inState(balancer, 'late', 'ready');
    expect(balancer.snapshot().registrations.byReason).toEqual({ busy: 300 - 256 + 1 });
    await eventually(
      () => crowd.filter(({ readyState }) => readyState === WebSocket.CLOSED).length === 45,
      'the oldest are cut',
    );
  });

  it('cannot take the room that is kept for backends', async () => {
    const running = await inUse({ limits: { maxConnections: 14, reservedConnections: 10 } });
    await openMany(running, 40);
    await registerByHand(running.control, { id: 'late' });
    await inState(running.balancer, 'late', 'ready');
  });

  it('by the thousand change nothing, and leave nothing behind', async () => {
    const { balancer, control, client, agent } = await inUse();
    const before = backendsOf(balancer);
    const waves = 10;
    const perWave = 100;
    for (let wave = 0; wave < waves; wave += 1) {
      await Promise.all(
        Array.from({ length: perWave }, async (_, index) => {
          const stranger = await RawBackend.open(control);
          const [, , words] = FIRST_WORDS[index % FIRST_WORDS.length]!;
          stranger.client.socket.send(words(stranger));
          expect(await stranger.next()).toMatchObject({ type: 'refused' });
          await stranger.client.end();
        }),
      );
      expect(await client.ask(`wave ${wave}`)).toBe(`good: wave ${wave}`);
    }
    expect(backendsOf(balancer)).toEqual(before);
    expect(balancer.snapshot().registrations).toMatchObject({ accepted: 1, refused: waves * perWave });
    await eventually(() => balancer.snapshot().connections.length === 2, 'only the client and the channel are left');
    expect(agent.state).toBe('registered');
  }, 60_000);

  it('that try one token after the other are banned', async () => {
    const { balancer, control, port } = await startBalancer({
      admission: { exempt: [], bans: { threshold: 18 } },
    });
    const banned = new Promise((resolve) => balancer.once('banned', resolve));
    for (let attempt = 0; attempt < 4; attempt += 1) {
      const stranger = await RawBackend.open(control);
      stranger.send(stranger.registration({}, `guess number ${attempt} of many`));
      expect(await stranger.next()).toMatchObject({ why: 'unauthorized' });
    }
    expect(await banned).toMatchObject({ address: '127.0.0.1', reason: 'control: unauthorized' });
    await expect(handshake({ port })).rejects.toThrow();
  });
});

describe('a client that is no backend', () => {
  it('is told on the path of control channels what belongs there', async () => {
    const { port } = await startBalancer();
    const { status, body } = await handshake({ port, path: '/.tidegate/control' });
    expect(status).toBe(400);
    expect(String(body)).toContain('tidegate.control.v1');
  });

  it('is a client on every other path, whatever it offers', async () => {
    const { port } = await startBalancer();
    expect((await handshake({ port, path: '/', subprotocols: ['tidegate.control.v1'] })).status).toBe(503);
  });
});

/** Opens channels that say nothing, and resolves when each has its 101 or its end. */
async function openMany({ control }: RunningBalancer, count: number): Promise<WebSocket[]> {
  const sockets = Array.from({ length: count }, () => new WebSocket(control, 'tidegate.control.v1'));
  onTestFinished(() => {
    for (const socket of sockets) socket.terminate();
  });
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((resolve) => {
          for (const name of ['open', 'close', 'error']) socket.on(name, () => resolve());
        }),
    ),
  );
  return sockets;
}
