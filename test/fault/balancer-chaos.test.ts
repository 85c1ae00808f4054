/**
 * Owns a balancer under everything at once: three hundred clients that talk without end, while one backend is killed, one is drained, one
 * is added, one hangs and one comes and goes. What the others carry is neither lost nor doubled nor reordered.
 */
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { type BackendInfo, LoadBalancer } from '../../src/index.js';
import { eventually } from '../support/events.js';
import { ChildBackend } from './chaos/child-backend.js';
import { type Session, TalkingClient } from './chaos/talking-client.js';

const CLIENTS = 300;
const HEALTH = { check: 'websocket', interval: 250, timeout: 1500, rise: 1, fall: 2 } as const;
/** Checks that fail, as late as they may come; and as much again for a machine that is busy with other tests. */
const DETECTION = 2 * HEALTH.fall * (1.1 * HEALTH.interval + HEALTH.timeout);

/** The balancer, its clients, and what was seen of them. */
class World {
  readonly balancer: LoadBalancer;
  readonly clients: TalkingClient[] = [];
  readonly violations: string[] = [];
  readonly refusals: string[] = [];
  /** Which backend a session was paired with, by its name. */
  readonly homes = new Map<string, string>();
  paired = 0;
  unpaired = 0;
  /** Pairs with a backend that was not there to be picked. */
  readonly misled: string[] = [];

  constructor(backends: readonly ChildBackend[]) {
    this.balancer = new LoadBalancer({
      listen: '127.0.0.1:0',
      backends: backends.map(({ id, url }) => ({ id, url })),
      health: { ...HEALTH, earlyClose: 100, ejection: 300, maxEjection: 1000 },
      heartbeat: { interval: 3000, timeout: 5000 },
      drain: { perSecond: 200, minDelay: 700, maxDelay: 1500, whenDraining: 'drain', whenUnhealthy: 'close' },
      failover: { attemptTimeout: 500 },
    });
    this.balancer.on('client.paired', ({ id }, backend) => this.#paired(id, backend));
    this.balancer.on('client.unpaired', () => {
      this.unpaired += 1;
    });
    this.balancer.on('exception', (error) => this.violations.push(String(error)));
    onTestFinished(async () => {
      for (const client of this.clients) client.leave();
      await this.balancer.stop({ drainTimeout: 0 });
    });
  }

  #paired(id: string, backend: BackendInfo): void {
    this.paired += 1;
    const { url } = this.balancer.connection(id)!.request;
    this.homes.set(new URL(url, 'ws://any').searchParams.get('session')!, backend.id);
    const isThere = backend.state === 'ready' && backend.health !== 'unhealthy' && backend.health !== 'ejected';
    if (!isThere) this.misled.push(`${url} on ${backend.id}: ${JSON.stringify(backend.chart)}`);
  }

  /** More clients, which all connect now. */
  join(count: number): TalkingClient[] {
    const [address] = this.balancer.addresses;
    const joining = Array.from({ length: count }, (_, at) => {
      const name = `c${this.clients.length + at}`;
      return new TalkingClient(name, address!.port, {
        violated: (what) => this.violations.push(what),
        refused: (why) => this.refusals.push(why),
      });
    });
    this.clients.push(...joining);
    for (const client of joining) client.connect();
    return joining;
  }

  backend(id: string): BackendInfo {
    return this.balancer.backends().find((one) => one.id === id)!;
  }

  /** Resolves when a backend is healthy again; one that was ejected needs clients to show it. */
  async well(id: string): Promise<void> {
    await eventually(
      () => {
        const { health, available } = this.backend(id);
        if (health === 'trial' && available) this.join(1);
        return health === 'healthy' && available;
      },
      `${id} is well`,
      { instead: () => this.#state() },
    );
  }

  /** The sessions that are open on a backend now. */
  on(id: string): Session[] {
    return this.clients.flatMap(({ session }) =>
      session !== undefined && this.homes.get(session.name) === id ? session : [],
    );
  }

  /** Resolves when every client has a connection, and has been answered that many times more in it. */
  async talked(times: number): Promise<void> {
    const since = new Map<Session, number>();
    const answers = (session: Session | undefined): number => {
      if (session === undefined) return 0;
      if (!since.has(session)) since.set(session, session.echoed);
      return session.echoed - since.get(session)!;
    };
    await eventually(
      () => Math.min(...this.clients.map(({ session }) => answers(session))) >= times,
      'every client is answered',
      { within: 20_000, instead: () => this.#state() },
    );
  }

  /** Resolves when all of these have ended; answers with how long the last one took. */
  async ended(sessions: readonly Session[], since: number, within: number): Promise<number> {
    await eventually(() => sessions.every(({ end }) => end !== undefined), 'each of them ends', {
      within,
      instead: () => `${sessions.filter(({ end }) => end === undefined).length} are open; ${this.#state()}`,
    });
    return Math.max(0, ...sessions.map(({ end }) => end!.at - since));
  }

  #state(): string {
    const backends = this.balancer.backends().map(({ id, state, health, load }) => `${id} ${state} ${health} ${load}`);
    const without = this.clients.filter(({ session }) => session === undefined).length;
    const ends = this.clients.flatMap(({ sessions }) => sessions).map(({ end }) => end?.code ?? 'open');
    const counts = [...new Set(ends)].map((end) => `${ends.filter((one) => one === end).length} ${end}`);
    const refused = this.refusals.slice(0, 3).join('; ');
    return `${without} clients without a connection; sessions: ${counts}; ${backends.join(', ')}; refused: ${refused}`;
  }
}

function toldToComeBack(sessions: readonly Session[]): void {
  for (const { name, end } of sessions) {
    expect({ name, code: end?.code }).toEqual({ name, code: 1012 });
    const { retryAfterMs } = JSON.parse(end!.reason);
    expect(retryAfterMs).toBeGreaterThanOrEqual(700);
    expect(retryAfterMs).toBeLessThanOrEqual(1500);
  }
}

const measured: string[] = [];

afterEach(() => {
  if (process.env.TIDEGATE_MEASURE !== undefined) console.log(measured.join('\n'));
});

describe('a balancer whose backends die, go, hang and flap under traffic', () => {
  it('loses, doubles and reorders nothing that the others carry, and lets nobody wait', {
    timeout: 90_000,
  }, async () => {
    const [one, two, three] = await Promise.all(['one', 'two', 'three'].map((id) => ChildBackend.start(id)));
    const world = new World([one!, two!, three!]);
    const { balancer } = world;
    await balancer.start();
    await eventually(() => balancer.backends().every(({ lastCheck }) => lastCheck?.passed), 'all are known to be well');
    world.join(CLIENTS);
    await world.talked(10);
    const even = ['one', 'two', 'three'].map((id) => world.backend(id).pairs);
    expect(Math.max(...even) - Math.min(...even)).toBeLessThanOrEqual(1);
    const untouched = world.on('three');

    // One is killed; new clients come before anybody has noticed.
    const ofOne = world.on('one');
    let began = performance.now();
    await one!.kill();
    world.join(10);
    measured.push(`killed: ${ofOne.length} told within ${Math.round(await world.ended(ofOne, began, DETECTION))} ms`);
    toldToComeBack(ofOne);
    await eventually(() => world.backend('one').health === 'unhealthy', 'it is found', { within: DETECTION });

    // One is added.
    const four = await ChildBackend.start('four');
    balancer.addBackend({ id: 'four', url: four.url });
    await world.talked(5);
    expect(world.on('four').length).toBeGreaterThan(50);

    // One is drained.
    const ofTwo = world.on('two');
    began = performance.now();
    balancer.drainBackend('two');
    measured.push(`drained: ${ofTwo.length} told within ${Math.round(await world.ended(ofTwo, began, 10_000))} ms`);
    toldToComeBack(ofTwo);
    await world.talked(5);
    expect(world.on('two')).toEqual([]);
    await eventually(() => world.backend('two').load === 0, 'nobody is on it');

    // One hangs: its system still takes connections for it.
    const ofFour = world.on('four');
    began = performance.now();
    four.hang();
    world.join(10);
    measured.push(
      `hanging: ${ofFour.length} told within ${Math.round(await world.ended(ofFour, began, DETECTION))} ms`,
    );
    toldToComeBack(ofFour);
    await eventually(() => world.backend('four').health === 'unhealthy', 'it is found', { within: DETECTION });
    await world.talked(5);
    expect(world.on('four')).toEqual([]);

    // The one that was killed comes back, and flaps; the others come back as well.
    four.goOn();
    balancer.resumeBackend('two');
    await one!.run();
    for (let round = 0; round < 3; round += 1) {
      await world.well('one');
      world.join(30);
      await eventually(() => world.on('one').filter(({ echoed }) => echoed >= 5).length >= 8, 'clients are on it');
      const lost = world.on('one');
      began = performance.now();
      await one!.down();
      measured.push(`flapped: ${lost.length} told within ${Math.round(await world.ended(lost, began, DETECTION))} ms`);
      toldToComeBack(lost);
      await one!.up();
    }
    await world.talked(10);

    // Whoever was on the one that nothing happened to is still there, and has been answered in full.
    expect(world.on('three')).toEqual(expect.arrayContaining(untouched));
    expect(untouched.filter(({ end }) => end !== undefined)).toEqual([]);
    for (const client of world.clients) client.fallSilent();
    await eventually(() => world.clients.every(({ isAnswered }) => isAnswered), 'everything is answered');
    for (const { session } of world.clients) expect(session!.echoed).toBe(session!.sent);
    expect(world.violations).toEqual([]);
    expect(world.refusals).toEqual([]);
    expect(world.misled).toEqual([]);
    const sessions = world.clients.flatMap((client) => client.sessions);
    const answers = sessions.reduce((sum, { echoed }) => sum + echoed, 0);
    measured.push(`${world.clients.length} clients, ${sessions.length} sessions, ${answers} answers`);

    // Nothing is left of all that.
    for (const client of world.clients) client.leave();
    await eventually(() => balancer.connections.length === 0, 'everybody has left');
    await eventually(
      () => balancer.backends().every(({ load, pairs }) => load === 0 && pairs === 0),
      'no place is taken',
    );
    expect([world.paired, world.unpaired]).toEqual([sessions.length, sessions.length]);
    expect(balancer.snapshot().heldBytes).toBe(0);
  });
});
