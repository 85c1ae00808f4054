/**
 * Owns what the servers in memory dial: every target is one in memory, whatever its address, and no name is asked for in the network.
 * Refuses to dial anything else.
 */
import { TidegateError } from '../receivers/errors.js';
import type { ConnectHook, LookupHook } from '../server/dial/dial-hooks.js';
import type { DialSignal } from '../server/dial/dial-signal.js';
import type { Target } from '../server/dial/target.js';
import type { Wire } from '../server/wires/wire.js';
import type { WireLayer } from '../server/wires/wire-layer.js';
import { MemoryTarget } from './memory-target.js';
import { MemoryWire } from './memory-wire.js';
import { WaitingLine } from './waiting-line.js';

/** What becomes of a dial: the target is reached at once, or when the test says so. */
export type TargetManners = 'accept' | 'hold';

/** The targets of one server. */
export class MemoryTargets {
  /** Each that was dialled, in order. */
  readonly all: MemoryTarget[] = [];
  /** How the next dials are answered. */
  manners: TargetManners;
  readonly #window: number;
  readonly #line = new WaitingLine();
  readonly #addresses = new Map<string, string>();
  /** What is spoken at an address and port. */
  readonly #speech = new Map<string, Target['kind']>();
  #given = 0;

  constructor(manners: TargetManners, window: number) {
    this.manners = manners;
    this.#window = window;
  }

  /** Resolves with the first one that was dialled and not given yet. */
  next(): Promise<MemoryTarget> {
    return this.#line.until(() => {
      const target = this.all[this.#given];
      if (target !== undefined) this.#given += 1;
      return target;
    });
  }

  /** Never answers with a stream, but notes what is spoken where. */
  readonly connect: ConnectHook = (target) => {
    if (target.kind === 'unix' || target.secure) {
      const expected = 'a server in memory has targets of ws: and tcp: only';
      throw new TidegateError('UPSTREAM_REFUSED', `cannot reach ${target.href}: ${expected}`);
    }
    const address = target.family === 0 ? this.#addressOf(target.host) : target.host;
    this.#speech.set(`${address} ${target.port}`, target.kind);
    return undefined;
  };

  /** Gives every name an address of its own, out of those that are for documentation (RFC 5737). */
  readonly lookup: LookupHook = (name) => [this.#addressOf(name)];

  /** Sockets are never used. */
  get layer(): WireLayer {
    return {
      kind: 'portable',
      accept() {},
      tap: () => undefined,
      wireOf: () => {
        throw new TidegateError('UPSTREAM_REFUSED', 'a server in memory dials no socket');
      },
      connect: (address, port, _settings, signal) => this.#connect(address, port, signal),
    };
  }

  #connect(address: string, port: number, signal: DialSignal): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const local = { remoteAddress: address, remotePort: port, localAddress: '127.0.0.1', localPort: 0 };
      const wire = new MemoryWire(local, this.#window);
      const speaksWebSocket = this.#speech.get(`${address} ${port}`) === 'websocket';
      const target = new MemoryTarget(wire, { address, port, speaksWebSocket }, (error) => {
        if (error === undefined) resolve(wire);
        else reject(error);
      });
      signal.addEventListener('abort', () => {
        wire.terminate();
        reject(signal.reason);
      });
      if (this.manners === 'accept') target.accept();
      this.all.push(target);
      this.#line.notify();
    });
  }

  #addressOf(name: string): string {
    let address = this.#addresses.get(name);
    if (address === undefined) {
      address = `192.0.2.${(this.#addresses.size % 254) + 1}`;
      this.#addresses.set(name, address);
    }
    return address;
  }
}
