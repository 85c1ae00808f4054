/**
 * Owns the life of one connection in a soak: what both ends send and at which pace, how it ends, and that every byte and
 * the end itself arrived as they must. Refuses to know what else happens in the world, but for whether something did that
 * may have ended it.
 */
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../fuzz/random.js';
import { closed, dial, writable } from './dial.js';
import { Pattern, Verifier } from './pattern.js';
import { NAME_BYTES, type TargetEnd, type TargetSink } from './targets.js';
import { WsEnd } from './ws-end.js';

/** How a connection is ended. */
const ENDINGS = [
  'clientCloses',
  'targetCloses',
  'clientResets',
  'targetResets',
  'clientLeaves',
  'applicationCloses',
  'applicationCuts',
] as const;

const CODES = [1000, 1001, 1005, 1008, 1011, 1014, 3000, 4999];

/** The longest time a life may take when nothing holds it up but its own pauses. */
const MOST_MS = 30_000;

/** Where a life takes place. */
export interface Habitat {
  readonly path: 'frames' | 'stream' | 'messages';
  readonly port: number;
  readonly tls: boolean;
  /** Rises when something begins that may end connections, and again when it is over. */
  disturbances(): number;
  /** Ends the connection of this life from inside the server; false when there is none. */
  endInside(name: string, how: 'close' | 'cut', code: number): boolean;
}

/** The life of one connection. */
export class Life implements TargetSink {
  readonly name: string;
  /** Messages that the application sent to this client and that were taken. */
  applicationSent = 0;
  readonly #habitat: Habitat;
  readonly #random: Random;
  readonly #up: Pattern;
  readonly #down: Pattern;
  readonly #atTarget: Verifier;
  readonly #atClient: Verifier;
  readonly #ending: (typeof ENDINGS)[number];
  readonly #midway: boolean;
  readonly #code: number;
  readonly #born: number;
  #applicationGot = 0;
  #target: TargetEnd | undefined;
  #client: WsEnd | undefined;
  #clientSocket: Socket | undefined;
  #wrong: string | undefined;
  #changed: () => void = () => {};
  #ended = false;

  constructor(index: number, seed: number, habitat: Habitat) {
    this.name = index.toString(16).padStart(NAME_BYTES, '0');
    const random = new Random(seed);
    const bytes = () => random.pick([0, 100, 20_000, 300_000, random.onceIn(4) ? 3_000_000 : 1000]);
    this.#habitat = habitat;
    this.#random = random;
    this.#up = new Pattern(random.next(), bytes());
    this.#down = new Pattern(random.next(), bytes());
    this.#atTarget = new Verifier(this.#up);
    this.#atClient = new Verifier(this.#down);
    this.#ending = random.onceIn(2) ? 'clientCloses' : random.pick(ENDINGS);
    this.#midway = random.onceIn(3);
    this.#code = random.pick(CODES);
    this.#born = habitat.disturbances();
  }

  /** Lives; resolves with what was wrong, or undefined. */
  async live(): Promise<string | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.#fail('it did not end');
        resolve();
      }, MOST_MS);
    });
    const life = this.#run().catch((error: unknown) => this.#fail(`it threw ${String(error)}`));
    await Promise.race([life, late]);
    clearTimeout(timer);
    this.#clientSocket?.destroy();
    this.#target?.socket.destroy();
    if (this.#wrong === undefined) return undefined;
    const { path, tls } = this.#habitat;
    const far = `up ${this.#atTarget.offset}/${this.#up.total}, down ${this.#atClient.offset}/${this.#down.total}`;
    return `life ${this.name} (${path}${tls ? ', TLS' : ''}, ${this.#ending}${this.#midway ? ' midway' : ''} ${this.#code}, ${far}): ${this.#wrong}`;
  }

  onTarget(end: TargetEnd): void {
    this.#target = end;
    end.socket.on('close', () => this.#changed());
    void this.#send(end.socket, this.#down, (message) => end.ws?.send(message) ?? end.socket.write(message.data));
    this.#changed();
  }

  onBytes(chunk: Buffer): void {
    this.#check(this.#atTarget.bytes(chunk), 'at the target');
  }

  onMessage(data: Buffer, binary: boolean): void {
    this.#check(this.#atTarget.message(data, binary), 'at the target');
  }

  onTargetClose(_code: number): void {
    this.#changed();
  }

  onWrong(what: string): void {
    this.#fail(what);
  }

  get #disturbed(): boolean {
    // An odd number: born while something was going on.
    return this.#born % 2 === 1 || this.#habitat.disturbances() !== this.#born;
  }

  async #run(): Promise<void> {
    const { port, tls } = this.#habitat;
    const random = this.#random;
    const drip = random.onceIn(8) ? random.between(1, 40) : 0;
    const { socket, status, rest } = await dial({ port, tls, path: `/life/${this.name}`, drip });
    this.#clientSocket = socket;
    if (status !== 101) {
      socket.destroy();
      if (!this.#disturbed) this.#fail(`the handshake was answered with ${status}`);
      return;
    }
    socket.on('close', () => this.#changed());
    const client = new WsEnd(socket, 'client', rest, {
      onMessage: (data, binary) => this.#atClientCame(data, binary),
      onClose: () => this.#changed(),
      onWrong: (error) => this.#fail(`the client got no WebSocket: ${error.message}`),
    });
    this.#client = client;
    client.send({ data: Buffer.from(this.name), binary: true, frames: 1 });
    void this.#send(socket, this.#up, (message) => client.send(message));
    void this.#stall(socket);
    await this.#until(() => this.#target !== undefined || socket.destroyed);
    if (this.#target !== undefined) void this.#stall(this.#target.socket);
    const enough = (all: number) => (this.#midway ? all / 3 : all);
    await this.#until(
      () =>
        socket.destroyed ||
        (this.#atTarget.offset >= enough(this.#up.total) && this.#atClient.offset >= enough(this.#down.total)),
    );
    const early = socket.destroyed;
    this.#ended = true;
    if (early && !this.#disturbed) this.#fail('it ended before anybody ended it');
    else if (!early) this.#end(socket, client);
    await closed(socket);
    if (this.#target !== undefined) await closed(this.#target.socket);
    const wrong = this.#verdict(client);
    if (!this.#disturbed && wrong !== undefined) this.#fail(wrong);
  }

  #end(socket: Socket, client: WsEnd): void {
    const target = this.#target;
    if (this.#ending === 'clientCloses') client.close(this.#code);
    else if (this.#ending === 'clientLeaves') socket.destroy();
    else if (this.#ending === 'clientResets') reset(socket);
    else if (this.#ending === 'applicationCloses' || this.#ending === 'applicationCuts') {
      const how = this.#ending === 'applicationCuts' ? 'cut' : 'close';
      const code = this.#code === 1005 ? 1000 : this.#code;
      if (!this.#habitat.endInside(this.name, how, code) && !this.#disturbed) this.#fail('the server does not know it');
    } else if (target === undefined) client.close(this.#code);
    else if (this.#ending === 'targetResets') reset(target.socket);
    else if (target.ws === undefined) target.socket.end();
    else target.ws.close(this.#code);
  }

  /** What is wrong at the end when nothing but this life ended it. */
  #verdict(client: WsEnd): string | undefined {
    const target = this.#target;
    if (!this.#midway && !(this.#atTarget.complete && this.#atClient.complete)) return 'bytes are missing';
    if (!/Closes$/.test(this.#ending) || target === undefined) return undefined;
    if (client.closeReceived === undefined) return 'the client got no Close frame';
    if (this.#applicationGot !== this.applicationSent && this.#ending === 'applicationCloses') {
      return `${this.#applicationGot} of ${this.applicationSent} messages of the application came`;
    }
    const { ws } = target;
    const code = this.#ending === 'applicationCloses' && this.#code === 1005 ? 1000 : this.#code;
    const expected = this.#ending === 'targetCloses' && ws === undefined ? 1000 : code;
    if (client.closeReceived !== expected) return `the client got ${client.closeReceived}, not ${expected}`;
    if (ws === undefined || ws.closeReceived === expected) return undefined;
    return `the target got ${ws.closeReceived}, not ${expected}`;
  }

  /** A message of the application begins with a byte that no pattern has. */
  #atClientCame(data: Buffer, binary: boolean): void {
    if (data[0] === 1) {
      this.#applicationGot += 1;
      const right = `\u0001${this.name} ${this.#applicationGot}`;
      this.#check(data.toString() === right ? undefined : `the application's message is ${data}`, 'at the client');
    } else if (data[0] !== 2) {
      const wrong = this.#habitat.path === 'stream' ? this.#atClient.bytes(data) : this.#atClient.message(data, binary);
      this.#check(wrong, 'at the client');
    }
  }

  /** Sends a direction: as fast as it goes, in drips, or with pauses. */
  async #send(
    socket: Socket,
    pattern: Pattern,
    send: (message: ReturnType<Pattern['message']>) => boolean,
  ): Promise<void> {
    const pace = this.#random.pick([0, 0, 0, 1, 20]);
    let offset = 0;
    for (let index = 0; index < pattern.sizes.length; index += 1) {
      if (this.#ended || socket.destroyed || this.#client?.closeSent) return;
      const more = send(pattern.message(index, offset));
      offset += pattern.sizes[index]!;
      if (!more) await writable(socket);
      if (pace > 0 && index < 20) await pause(this.#random.below(pace));
    }
  }

  /** Stops reading for a while, some of the time. */
  async #stall(socket: Socket): Promise<void> {
    if (!this.#random.onceIn(4)) return;
    await pause(this.#random.below(50));
    socket.pause();
    await pause(this.#random.below(600));
    socket.resume();
  }

  #check(wrong: string | undefined, where: string): void {
    if (wrong !== undefined) this.#fail(`${wrong}, ${where}`);
    else this.#changed();
  }

  #fail(what: string): void {
    this.#wrong ??= what;
    this.#clientSocket?.destroy();
    this.#target?.socket.destroy();
    this.#changed();
  }

  #until(check: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = () => {
        if (check() || this.#wrong !== undefined) resolve();
      };
      this.#changed();
    });
  }
}

function reset(socket: Socket): void {
  if ('encrypted' in socket) socket.destroy();
  else socket.resetAndDestroy();
}
