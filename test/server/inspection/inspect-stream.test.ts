/** Holds what `GET /api/v1/inspect` streams, that it is bounded, and that nothing is watched while nobody reads it. */
import { expect, it, onTestFinished } from 'vitest';
import { type Connection, ConnectionReceiver, type ReceiverServer } from '../../../src/index.js';
import { administration } from '../../../src/server/admin/administration.js';
import type { Frame, NoticeFrame } from '../../../src/server/inspection/frames.js';
import type { Watch, WatchOptions } from '../../../src/server/inspection/watch.js';
import { deferred, eventually } from '../../support/events.js';
import { Opcode } from '../../support/frames.js';
import { askAdmin } from '../admin/ask-admin.js';
import { startProxy, startReceivers, startUpstream } from '../stage.js';
import { FrameReader } from './read-frames.js';

const ADMIN = { admin: { listen: '127.0.0.1:0' } };

function hubOf(server: Pick<ReceiverServer, typeof administration>) {
  return server[administration]().observation.inspection;
}

function watch(server: ReceiverServer, options: WatchOptions): Watch {
  const own = hubOf(server).watch(options);
  onTestFinished(() => hubOf(server).leave(own));
  return own;
}

/** All that a watcher has not read yet. */
function takeAll(from: Watch): Frame[] {
  const frames: Frame[] = [];
  for (let frame = from.take(); frame !== undefined; frame = from.take()) frames.push(frame);
  return frames;
}

function namesIn(frames: readonly Frame[]): string[] {
  return frames.flatMap((frame) => (frame.type === '@xstate.actor' ? [frame.name] : []));
}

it('shows one connection with its upstream, and ends when both are over', async () => {
  const target = await startUpstream();
  const { server, open } = await startProxy({ target: target.url, ...ADMIN });
  await open();
  const client = await open();
  const reader = await FrameReader.open(server.adminUrl!, '?connection=conn-2');
  await reader.find((frame) => frame.type === '@xstate.snapshot');
  await target.nextConnection();
  const connection = await target.nextConnection();
  client.sendClose(1000, 'bye');
  connection.sendClose(1000, 'bye');
  await client.answerClose();
  client.destroy();
  connection.destroy();
  await reader.over();
  expect(namesIn(reader.frames)).toEqual(['conn-2', 'upstream-2']);
  const ends = reader.frames.flatMap((frame) =>
    frame.type === '@xstate.snapshot' && frame.snapshot.status === 'done' ? [frame.snapshot.value] : [],
  );
  expect(ends).toEqual(['closed', 'closed']);
  expect(hubOf(server).watchers).toBe(0);
});

it('watches only while somebody reads', async () => {
  const { server, open } = await startReceivers(ADMIN);
  await open();
  expect(hubOf(server).watchers).toBe(0);
  const reader = await FrameReader.open(server.adminUrl!);
  await reader.find((frame) => frame.type === '@xstate.actor' && frame.name === 'conn-1');
  expect(hubOf(server).watchers).toBe(1);
  reader.close();
  await eventually(() => hubOf(server).watchers === 0, 'nobody watches');
  expect((await askAdmin(server.adminUrl!, { path: '/api/v1/inspect', method: 'HEAD' })).status).toBe(200);
  expect(hubOf(server).watchers).toBe(0);
});

it('goes on with a server that was restarted', async () => {
  const { server, open } = await startReceivers();
  const own = watch(server, {});
  const [supervisor] = takeAll(own);
  await server.restart();
  await open();
  const frames = takeAll(own);
  expect(namesIn(frames)).toEqual(['supervisor', 'conn-1']);
  expect(frames.findLast((frame) => frame.type === '@xstate.actor')).not.toMatchObject({
    rootId: (supervisor as { rootId: string }).rootId,
  });
});

it('shows the newest of many connections, and says how many are left out', async () => {
  const { server, open } = await startReceivers();
  await Promise.all(Array.from({ length: 10 }, () => open()));
  const own = watch(server, { maxActors: 5, charts: new Set(['connection']) });
  const found = takeAll(own);
  const before = namesIn(found);
  expect(before.length).toBeLessThanOrEqual(5);
  expect(before).toContain('conn-10');
  const notice = found.find((frame): frame is NoticeFrame => frame.type === '@tidegate.notice');
  expect(notice).toMatchObject({ shown: before.length, leftOut: 10 - before.length, dropped: 0 });
  await Promise.all(Array.from({ length: 5 }, () => open()));
  expect(namesIn(takeAll(own)).at(-1)).toBe('conn-15');
  expect(own.shownCount).toBeLessThanOrEqual(5);
});

it('keeps little for a reader that does not read, and tells it of the newest state of each actor then', async () => {
  const opened = deferred<Connection>();
  class Kept extends ConnectionReceiver {
    override onOpen(): void {
      opened.resolve(this.connection);
    }
  }
  const { server, open } = await startReceivers({ receiver: () => new Kept() });
  await open();
  const connection = await opened.promise;
  const own = watch(server, { framesPerSecond: 1_000_000 });
  takeAll(own);
  for (let round = 0; round < 1000; round += 1) {
    connection.pause();
    connection.resume();
  }
  connection.pause();
  const frames = takeAll(own);
  expect(frames.length).toBeLessThanOrEqual(1000);
  own.tick(2);
  const late = takeAll(own);
  expect(late.filter((frame) => frame.type === '@xstate.snapshot')).toMatchObject([
    { event: { type: 'read.pause' }, snapshot: { value: { open: { inbound: 'paused' } } } },
  ]);
  expect(late.at(-1)).toMatchObject({ type: '@tidegate.notice', leftOut: 0 });
  expect((late.at(-1) as NoticeFrame).dropped).toBeGreaterThan(1000);
});

it('tells of no more frames a second than it may', async () => {
  const { server, open } = await startReceivers();
  const own = watch(server, { framesPerSecond: 10 });
  takeAll(own);
  await Promise.all(Array.from({ length: 10 }, () => open()));
  const frames = takeAll(own).filter(({ type }) => type !== '@tidegate.notice');
  expect(frames.length).toBeLessThan(20);
});

it('leaves heartbeats out unless they are asked for, or one connection is watched', async () => {
  const { server, open } = await startReceivers({ heartbeat: { interval: 50, timeout: 5000, mode: 'always' } });
  const client = await open();
  const routine = (from: Watch): number =>
    takeAll(from).filter((frame) => 'event' in frame && frame.event.type === 'heartbeat.due').length;
  const without = watch(server, {});
  const asked = watch(server, { heartbeats: true });
  const one = watch(server, { connection: 'conn-1' });
  for (const from of [without, asked, one]) takeAll(from);
  const { payload } = await client.nextFrame(Opcode.Ping);
  client.sendPong(payload);
  await client.nextFrame(Opcode.Ping);
  expect(routine(without)).toBe(0);
  expect(routine(asked)).toBeGreaterThan(0);
  expect(routine(one)).toBeGreaterThan(0);
});

it('refuses what it cannot show, and more readers than it has room for', async () => {
  const { server } = await startReceivers(ADMIN);
  const ask = (query: string) => askAdmin(server.adminUrl!, { path: `/api/v1/inspect${query}` });
  expect(await ask('?connection=conn-9')).toMatchObject({
    status: 404,
    body: { error: { code: 'UNKNOWN_CONNECTION' } },
  });
  const bad = await ask('?charts=connection,pond');
  expect(bad).toMatchObject({ status: 400, body: { error: { message: expect.stringContaining('"pond"') } } });
  expect(await ask('?heartbeats=maybe')).toMatchObject({ status: 400 });
  expect(await ask('?conection=conn-1')).toMatchObject({ status: 400 });
  for (let count = 0; count < 16; count += 1) watch(server, {});
  expect(await ask('')).toMatchObject({ status: 503, body: { error: { code: 'TOO_MANY_WATCHERS' } } });
});
