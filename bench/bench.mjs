/**
 * Owns how a comparison is made: every proxy in turn for each scenario, and all of that again in each round, so that a
 * disturbance of the machine hits all of them alike. Refuses to know what the scenarios are; parts.mjs says that.
 */
import { GeneratorEnded } from './generator.mjs';
import { busySeconds } from './process-tree.mjs';

/** Before a proxy is measured for the first time: just-in-time compilers have work to do with small and large messages. */
const WARM_UP = [
  { size: 125, window: 16 },
  { size: 125, window: 1 },
  { size: 16_384, window: 4 },
];
const WARM_UP_CONNECTIONS = 100;

export class Bench {
  #running = new Map();
  /** Why a proxy does not start; it is not tried again for each scenario. */
  #broken = new Map();
  /** What the cores did during all measurements of CPU time: in all, and for what was not measured. */
  #watched = { seconds: 0, strange: 0 };

  /**
   * @param {import('./generator.mjs').Generator} generator
   * @param {import('./fleet.mjs').Fleet} fleet
   * @param {object} settings
   * @param {readonly import('./peers.mjs').Kind[]} kinds those that were found
   * @param {readonly number[]} cores those of the proxies and of the load
   */
  constructor(generator, fleet, settings, kinds, cores) {
    this.cores = cores;
    this.generator = generator;
    this.fleet = fleet;
    this.settings = settings;
    this.kinds = kinds;
  }

  /**
   * Measures every scenario with every kind. Answers with a row for each scenario, and in it for each kind the samples of
   * all rounds, or why there are none. A kind that fails in one round stays out of the rounds that follow.
   *
   * @param {object} options
   * @param {readonly object[]} options.kinds
   * @param {readonly object[]} options.scenarios
   * @param {(proxy: object, scenario: object) => Promise<object>} options.measure
   * @param {number} [options.rounds]
   * @param {boolean} [options.tls]
   * @param {boolean} [options.kindByKind] all scenarios of one kind before the next: for connections that cost much to open
   */
  async compare({ kinds, scenarios, measure, rounds = this.settings.rounds, tls = false, kindByKind = false }) {
    const rows = scenarios.map((scenario) => ({
      scenario,
      cells: Object.fromEntries(kinds.map(({ name }) => [name, { samples: [] }])),
    }));
    const step = async (kind, { scenario, cells }) => {
      const cell = cells[kind.name];
      if (cell.failed !== undefined) return;
      await this.#attempt(kind, tls, cell, async (proxy) => cell.samples.push(await measure(proxy, scenario)));
    };
    // All of them run and are warm before the first is measured.
    for (const kind of kinds) await this.#attempt(kind, tls, {}, async () => {});
    for (let round = 0; round < rounds; round += 1) {
      const order = turned(kinds, round);
      if (kindByKind) {
        for (const kind of order) {
          for (const row of rows) await step(kind, row);
          await this.#running.get(key(kind, tls))?.closePools();
        }
      } else {
        for (const row of rows) for (const kind of order) await step(kind, row);
      }
    }
    return rows;
  }

  /** Measures each kind once with a process that did nothing before. */
  async compareFresh({ kinds, scenarios, measure }) {
    const rows = scenarios.map((scenario) => ({ scenario, cells: {} }));
    for (const { scenario, cells } of rows) {
      for (const kind of kinds) {
        const cell = { samples: [] };
        cells[kind.name] = cell;
        let proxy;
        try {
          proxy = await this.fleet.start(kind);
          cell.samples.push(await measure(proxy, scenario));
          await proxy.closePools();
        } catch (error) {
          cell.failed = reasonOf(error, proxy);
        }
        if (proxy !== undefined) await this.fleet.stop(proxy);
      }
    }
    return rows;
  }

  /** CPU time is read while nothing is on its way, so that it belongs to exactly what was counted. */
  async costOf(proxy, command, settings) {
    const busyBefore = busySeconds(this.cores);
    const before = proxy.cpu();
    const answer = await this.generator.ask(command, settings);
    const used = proxy.cpu() - before;
    this.#watched.strange += busySeconds(this.cores) - busyBefore - used - answer.cpu;
    this.#watched.seconds += answer.seconds * new Set(this.cores).size;
    return { ...answer, used, proxyBusy: used / answer.seconds, loadBusy: answer.cpu / answer.seconds };
  }

  /** The share of the cores that something else had. Near zero on a machine that is fit for measuring. */
  get disturbance() {
    const { seconds, strange } = this.#watched;
    return seconds === 0 ? undefined : Math.max(0, strange / seconds);
  }

  async stopAll({ tls }) {
    for (const [name, proxy] of this.#running) {
      if (proxy.tls !== tls) continue;
      await this.fleet.stop(proxy);
      this.#running.delete(name);
    }
  }

  async #attempt(kind, tls, cell, act) {
    const name = key(kind, tls);
    let proxy;
    try {
      if (this.#broken.has(name)) throw new Error(this.#broken.get(name));
      proxy = this.#running.get(name);
      if (proxy === undefined) {
        proxy = await this.fleet.start(kind, { tls });
        this.#running.set(name, proxy);
        await this.#warmUp(proxy);
      }
      await act(proxy);
    } catch (error) {
      cell.failed = reasonOf(error, proxy);
      if (proxy === undefined) {
        this.#broken.set(name, cell.failed);
        return;
      }
      // Whatever state it is in, the next scenario begins with another one.
      this.#running.delete(name);
      await this.fleet.stop(proxy);
    }
  }

  async #warmUp(proxy) {
    if (proxy.kind.forks) return;
    const pool = await proxy.pool(WARM_UP_CONNECTIONS);
    for (const scenario of WARM_UP) {
      await this.generator.ask('echo', { pool, ...scenario, ms: this.settings.quick ? 80 : 400 });
    }
  }
}

function key(kind, tls) {
  return tls ? `${kind.name} with TLS` : kind.name;
}

/** Why there is no figure. Without a generator there will be none at all, so that ends the run. */
function reasonOf(error, proxy) {
  if (error instanceof GeneratorEnded) throw error;
  return proxy === undefined || proxy.alive ? error.message : `it ended: ${proxy.lastWords()}`;
}

/** Who follows whom matters a little, so the order turns round and round. */
function turned(kinds, round) {
  const shift = round % Math.max(kinds.length, 1);
  const order = [...kinds.slice(shift), ...kinds.slice(0, shift)];
  return round % 2 === 1 ? order.reverse() : order;
}
