/**
 * Owns the world of a soak: proxies on every data path, each with a plain and a TLS listener, their targets, and what
 * happens to all of them at once. Refuses to know what single connections do.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Connection, ConnectionReceiver, ProxyServer, reject } from '../../src/index.js';
import type { Random } from '../fuzz/random.js';
import { closed, dial } from './dial.js';
import { type Habitat, Life } from './life.js';
import { Target } from './targets.js';

/** What a test may do to a world, to see that it shows. */
export interface Sabotage {
  /** Changes a message that the receivers of the path `messages` see. */
  readonly change?: (data: Buffer) => Buffer;
  /** Called at the end of each life. */
  readonly lifeEnded?: () => void;
}

class Passing extends ConnectionReceiver {
  override onUpgradeRequest(request: { readonly path: string }) {
    return request.path === '/refused' ? reject(404) : true;
  }
}

/** Sees every message, some of them a turn later, and lets them pass. */
class Seeing extends Passing {
  readonly #change: Sabotage['change'];

  constructor(change: Sabotage['change']) {
    super();
    this.#change = change;
  }

  override onText(text: string): undefined | Promise<undefined> {
    return text.length % 5 === 0 ? nextTurn() : undefined;
  }

  override onBinary(data: Buffer): undefined | Buffer {
    return this.#change?.(data);
  }

  onUpstreamText(): void {}

  onUpstreamBinary(): void {}
}

/** A proxy and its target. */
class Place {
  readonly target: Target;
  server!: ProxyServer;
  readonly lives = new Map<string, Life>();
  readonly connections = new Map<string, Connection>();
  /** Connections that opened and have not ended. */
  readonly open = new Set<string>();
  readonly path: Habitat['path'];

  constructor(path: Habitat['path']) {
    this.path = path;
    this.target = new Target(path === 'stream' ? 'tcp' : 'ws', (name) => this.lives.get(name));
  }
}

/** Everything that is there. */
export class World {
  readonly places: readonly Place[] = [new Place('frames'), new Place('stream'), new Place('messages')];
  /** What was wrong, in the order in which it was found. */
  readonly faults: string[] = [];
  readonly counts = { lives: 0, refused: 0, opened: 0, ended: 0, disturbances: 0 };
  readonly #random: Random;
  readonly #sabotage: Sabotage;
  #broadcasts = 0;

  constructor(random: Random, sabotage: Sabotage) {
    this.#random = random;
    this.#sabotage = sabotage;
  }

  async start(): Promise<void> {
    for (const place of this.places) {
      await place.target.start();
      const read = (kind: string) =>
        readFileSync(join(process.cwd(), 'test', 'support', 'certs', `localhost.${kind}.pem`));
      const tls = { key: read('key'), cert: read('cert') };
      place.server = new ProxyServer({
        listen: ['127.0.0.1:0', { host: '127.0.0.1', port: 0, tls }],
        target: place.target.url,
        heartbeat: { interval: '3s', timeout: '6s' },
        timeouts: { close: '5s' },
        receiver: () => (place.path === 'messages' ? new Seeing(this.#sabotage.change) : new Passing()),
      });
      this.#listen(place);
      await place.server.start();
    }
  }

  async stop(): Promise<void> {
    for (const { server, target } of this.places) {
      await server.stop({ drainTimeout: 0 });
      await target.die();
    }
  }

  /** Begins the life of a connection somewhere; resolves when it is over. */
  async live(): Promise<void> {
    const random = this.#random;
    const place = random.pick(this.places);
    const [plain, tls] = place.server.addresses;
    const isTls = random.onceIn(3);
    const port = (isTls ? tls : plain)?.port ?? 0;
    this.counts.lives += 1;
    if (random.onceIn(10)) return this.#refused(port, isTls);
    const life = new Life(this.counts.lives, random.next(), {
      path: place.path,
      port,
      tls: isTls,
      disturbances: () => this.counts.disturbances,
      endInside: (name, how, code) => endInside(place.connections.get(name), how, code),
    });
    place.lives.set(life.name, life);
    const wrong = await life.live();
    place.lives.delete(life.name);
    if (wrong !== undefined) this.faults.push(wrong);
    this.#sabotage.lifeEnded?.();
  }

  /** Something gentle that ends no connection. */
  speak(): void {
    const random = this.#random;
    const { server, connections, lives } = random.pick(this.places);
    const what = random.below(3);
    if (what === 0) server.ping('soak');
    else if (what === 1) {
      this.#broadcasts += 1;
      server.broadcast(`\u0002${this.#broadcasts}`);
    } else {
      for (const [name, connection] of connections) {
        const life = lives.get(name);
        if (life === undefined) continue;
        const result = server.send(connection.id, `\u0001${name} ${life.applicationSent + 1}`);
        if (result === 'accepted' || result === 'queued') life.applicationSent += 1;
      }
    }
  }

  /** Something that ends connections. */
  async disturb(): Promise<void> {
    const random = this.#random;
    const { server, target } = random.pick(this.places);
    this.counts.disturbances += 1;
    const what = random.below(5);
    if (what === 0) await server.disconnectAll();
    else if (what === 1) server.terminateAll();
    else if (what === 2) await server.restart({ drainTimeout: random.below(300) });
    else {
      await target.die();
      for (let count = 0; count < 3; count += 1) await this.live();
      await target.start();
    }
    // A connection that began meanwhile is disturbed as well.
    this.counts.disturbances += 1;
  }

  /** What is left although every life is over; empty when nothing is. */
  left(): string[] {
    return this.places.flatMap(({ path, server, target, open, connections, lives }) => {
      const actors = server.snapshot().connections.length;
      const counts = {
        actors,
        open: open.size,
        held: connections.size,
        lives: lives.size,
        sockets: target.sockets.size,
      };
      return Object.entries(counts).flatMap(([what, count]) => (count === 0 ? [] : [`${path}: ${count} ${what}`]));
    });
  }

  async #refused(port: number, tls: boolean): Promise<void> {
    const before = this.counts.disturbances;
    const [path, omitHeaders, expected] = this.#random.pick([
      ['/refused', [], 404],
      ['/', ['Upgrade'], 426],
      ['/', ['Sec-WebSocket-Key'], 400],
    ] as const);
    this.counts.refused += 1;
    const { socket, status } = await dial({ port, tls, path, drip: 0, omitHeaders });
    socket.resume();
    await closed(socket);
    if (status !== expected && before % 2 === 0 && this.counts.disturbances === before) {
      this.faults.push(`a request to be refused with ${expected} was answered with ${status}`);
    }
  }

  #listen({ path, server, open, connections }: Place): void {
    server.on('connection', (connection) => {
      this.counts.opened += 1;
      if (open.has(connection.id)) this.faults.push(`${path}: ${connection.id} opened twice`);
      open.add(connection.id);
      connections.set(connection.request.path.slice('/life/'.length), connection);
    });
    server.on('disconnected', (connection, report) => {
      this.counts.ended += 1;
      if (!open.delete(connection.id)) this.faults.push(`${path}: ${connection.id} ended without having opened`);
      connections.delete(connection.request.path.slice('/life/'.length));
      if (report.durationMs < 0) this.faults.push(`${path}: ${connection.id} lasted ${report.durationMs} ms`);
    });
    server.on('exception', (error) => this.faults.push(`${path}: exception ${String(error)}`));
    server.on('error', (error) => this.faults.push(`${path}: error ${error.message}`));
  }
}

function endInside(connection: Connection | undefined, how: 'close' | 'cut', code: number): boolean {
  if (connection === undefined) return false;
  if (how === 'cut') connection.terminate();
  else connection.close(code as 1000);
  return true;
}
