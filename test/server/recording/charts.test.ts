/** Owns that the recorded steps of real connections, through many lives, run again to the same states. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ProxyServer } from '../../../src/index.js';
import { ConnectionReceiver, type ProxyServerOptions, reject } from '../../../src/index.js';
import { stateIds } from '../../../src/server/observation/state-counts.js';
import { parseRecording, type Recording, readRecording } from '../../../src/server/recording/read-recording.js';
import { replayChart } from '../../../src/server/recording/replay-chart.js';
import { openClient } from '../../support/for-one-test.js';
import { Opcode, type RawClient } from '../../support/raw-client.js';
import type { RawPeer, RawUpstream } from '../../support/raw-upstream.js';
import { refusedPort } from '../../support/tcp-peer.js';
import { type Running, startProxy, startUpstream } from '../stage.js';
import { Tapes } from './stage.js';

interface Life {
  readonly proxy: Running<ProxyServer>;
  readonly upstream: RawUpstream;
}

interface Scene extends Life {
  readonly client: RawClient;
  readonly target: RawPeer;
}

const QUICK = { handshake: 2000, dial: 300, close: 200, writeStall: 300, pressureDwell: 5 };

async function live(options: ProxyServerOptions, act: (life: Life) => Promise<unknown>): Promise<Recording> {
  const tapes = new Tapes();
  const upstream = await startUpstream();
  const proxy = await startProxy({
    target: upstream.url,
    timeouts: QUICK,
    limits: { highWaterMark: '16KiB' },
    ...options,
    recording: tapes.options({ rules: [{}], maxPayloadBytes: 16 }),
  });
  tapes.listen(proxy.server);
  const [recording] = await Promise.all([tapes.next(), act({ proxy, upstream })]);
  return recording;
}

function open(options: ProxyServerOptions, act: (scene: Scene) => Promise<unknown> | unknown): Promise<Recording> {
  return live(options, async ({ proxy, upstream }) => {
    const client = await proxy.open();
    const target = await upstream.nextConnection();
    await act({ proxy, upstream, client, target });
  });
}

/** Lets a peer that reads nothing be sent more than any buffer takes, and resolves when the chart says so. */
async function stall(server: ProxyServer, flood: { sendBinary(data: Uint8Array): boolean }): Promise<void> {
  const bytes = Buffer.alloc(1 << 20);
  const throttled = () => JSON.stringify(server.snapshot().connections[0]?.chart).includes('throttled');
  while (!throttled()) {
    flood.sendBinary(bytes);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

class Refusing extends ConnectionReceiver {
  override onUpgradeRequest() {
    return reject(418);
  }
}

class Throwing extends ConnectionReceiver {
  override onText(): never {
    throw new Error('of the receiver');
  }
}

/** Each with a state or an event that it is about. */
const LIVES: readonly (readonly [string, string, () => Promise<Recording>])[] = [
  [
    'a handshake that the receiver refuses',
    'decision.reject',
    () => live({ receiver: () => new Refusing() }, ({ proxy }) => proxy.handshake()),
  ],
  [
    'a target that refuses',
    'upstream.failed',
    async () => live({ target: `ws://127.0.0.1:${await refusedPort()}` }, ({ proxy }) => proxy.handshake()),
  ],
  [
    'a client that closes',
    'peer.closed',
    () =>
      open({}, async ({ client, target }) => {
        client.sendText('hello');
        client.sendClose(1000, 'bye');
        await target.nextFrame(Opcode.Close);
        target.sendClose(1000, 'bye');
        target.end();
      }),
  ],
  [
    'a target that closes, when it is dialled after the 101',
    'connection.closing',
    () =>
      open({ connectUpstream: 'after-accept' }, async ({ client, target }) => {
        target.sendClose(4000, 'enough');
        const { payload } = await client.nextFrame(Opcode.Close);
        client.sendFrame({ opcode: Opcode.Close, payload });
        await target.nextFrame(Opcode.Close);
        target.end();
      }),
  ],
  ['a target that is lost', 'upstream.closed', () => open({}, ({ target }) => target.reset())],
  ['a client that is reset', 'connection.closed', () => open({}, ({ client }) => client.reset())],
  [
    'a client that answers no Close frame',
    'xstate.after.closeTimeout.connection.closing',
    () => open({}, ({ proxy }) => proxy.server.disconnectAll()),
  ],
  [
    'a client that breaks the protocol',
    'protocol.violated',
    () => open({}, ({ client }) => client.sendRaw(Buffer.from([0xff, 0x80, 1, 2, 3, 4]))),
  ],
  [
    'a receiver that throws',
    'receiver.failed',
    () => open({ receiver: () => new Throwing() }, ({ client }) => client.sendText('go')),
  ],
  ['a half-open client', 'heartbeat.missed', () => open({ heartbeat: { interval: 50 } }, () => {})],
  [
    'a client that reads nothing, and then everything',
    'pressure.low',
    () =>
      open({ timeouts: { ...QUICK, writeStall: 10_000 } }, async ({ proxy, client, target }) => {
        client.pauseReading();
        await stall(proxy.server, target);
        client.resumeReading();
        client.discard();
        const flowing = () => JSON.stringify(proxy.server.snapshot().connections[0]?.chart).includes('flowing');
        await expect.poll(flowing, { timeout: 10_000 }).toBe(true);
        client.reset();
      }),
  ],
  [
    'a client that reads nothing for too long',
    'connection.open.outbound.throttled',
    () =>
      open({}, async ({ proxy, client, target }) => {
        client.pauseReading();
        await stall(proxy.server, target);
      }),
  ],
  [
    'a connection that the application pauses',
    'connection.open.inbound.paused',
    () =>
      open({}, async ({ proxy }) => {
        const [connection] = proxy.server.connections;
        connection!.pause();
        connection!.resume();
        connection!.terminate();
      }),
  ],
];

describe('the recorded steps', () => {
  const seen = new Set<string>();

  it.each(LIVES)('of %s run again to the same states', async (_, about, record) => {
    const recording = await record();
    const { steps, identical, lost } = replayChart(recording);
    for (const { side, event, value } of steps) {
      seen.add(event.type);
      for (const id of stateIds(side, value)) seen.add(id);
    }
    expect(steps.map(({ value }) => value)).toEqual(steps.map(({ recorded }) => recorded));
    expect({ identical, lost }).toEqual({ identical: true, lost: 0 });
    const told = steps.flatMap(({ side, event, value }) => [event.type, ...stateIds(side, value)]);
    expect(told).toContain(about);
    expect(['closed', 'rejected']).toContain(steps.filter(({ side }) => side === 'connection').at(-1)?.value);
    expect(recording.end?.why).toBe(told.includes('connection.rejected') ? 'rejected' : 'closed');
  });

  it('of all of them together were in nearly every state of both charts', () => {
    for (const state of ['handshaking.dialling', 'open.outbound.throttled', 'open.liveness.probing', 'closing']) {
      expect([...seen]).toContain(`connection.${state}`);
    }
    for (const state of ['dialling', 'open', 'closing', 'closed', 'unreachable']) {
      expect([...seen]).toContain(`upstream.${state}`);
    }
  });

  it('that were changed afterwards are told apart', async () => {
    const recording = await open({}, ({ client }) => client.reset());
    const lines = recording.lines.map((line) =>
      line.type === 'step' && line.event.type === 'transport.closed' ? { ...line, value: 'closing' } : line,
    );
    const { identical, steps } = replayChart({ ...recording, lines });
    expect(identical).toBe(false);
    expect(steps.find(({ same }) => !same)).toMatchObject({ recorded: 'closing', value: 'closed' });
  });

  it('of a recording that begins midway, and goes on in several files, run on from where the charts were', async () => {
    const tapes = new Tapes();
    const upstream = await startUpstream();
    const recording = tapes.options({ maxFileBytes: 16_384 });
    const proxy = await startProxy({ target: upstream.url, timeouts: QUICK, recording });
    tapes.listen(proxy.server);
    const client = await openClient({ port: proxy.port });
    const target = await upstream.nextConnection();
    proxy.server.connections[0]!.pause();
    proxy.server.record('conn-1');
    await new Promise(setImmediate);
    for (let count = 0; count < 20; count += 1) target.sendBinary(Buffer.alloc(4000, count));
    for (let count = 0; count < 20; count += 1) await client.nextMessage();
    proxy.server.connections[0]!.resume();
    client.reset();
    const { file } = await tapes.nextEnd();
    const parts = Number(/\.(\d+)\.tidegate/.exec(file)?.[1]);
    expect(parts).toBeGreaterThan(4);
    for (let part = 1; part <= parts; part += 1) {
      const one = await tapes.read(file.replace(/\.\d+\.tidegate/, `.${part}.tidegate`));
      expect(one.header).toMatchObject({ part, midway: true });
      expect(replayChart(one).identical).toBe(true);
      expect(one.end?.why).toBe(part === parts ? 'closed' : 'continued');
    }
    const last = await tapes.read(file);
    expect(last.header.charts.connection).toMatchObject({ open: { inbound: 'paused' } });
  });
});

describe('a recording that is no more whole', () => {
  it('is read up to its last whole line', async () => {
    const recording = await open({}, ({ client }) => client.reset());
    const text = [recording.header, ...recording.lines].map((line) => `${JSON.stringify(line)}\n`).join('');
    const folder = new Tapes().folder;
    writeFileSync(join(folder, 'cut'), text.slice(0, -40));
    const cut = await readRecording(join(folder, 'cut'));
    expect(cut.lines).toEqual(recording.lines.slice(0, -1));
    expect(cut.end).toBeUndefined();
    await expect(readRecording(join(folder, 'none'))).rejects.toMatchObject({ code: 'INVALID_RECORDING' });
    const broken = text.replace('"type":"end"', '"type":"end","t":"\\u001b[2J"');
    expect(() => parseRecording(broken.replace(/"t":[\d.]+,"why"/, '"why"'))).toThrow(/line \d+/);
    expect(() => parseRecording('{"type":"recording","version":2}\n')).toThrow(/version/);
  });
});
