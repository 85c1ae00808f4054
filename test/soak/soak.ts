/**
 * Owns the course of a soak: rounds of many lives with things that happen to all, and a checkpoint after each, when
 * everything must be gone. Stops at the first fault.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../fuzz/random.js';
import { expectQuiet, type Holdings, holdings } from '../support/descriptors.js';
import { eventually } from '../support/events.js';
import { HeapTrend, mebibytes } from './heap.js';
import { type Sabotage, World } from './world.js';

/** How long and from where. */
export interface SoakOptions {
  readonly seed: number;
  /** Milliseconds in which rounds begin. */
  readonly time: number;
  /** How much has to have happened: rounds go on until it has. Default: nothing. */
  readonly least?: { readonly lives: number; readonly disturbances: number };
  /** Milliseconds in which the lives of one round begin. Default 2500. */
  readonly round?: number;
  /** Lives at a time. Default 24. */
  readonly crowd?: number;
  /** Milliseconds in which what is over must be gone. Default 10 000. */
  readonly patience?: number;
  readonly sabotage?: Sabotage;
  readonly say?: (line: string) => void;
}

/** What came of it. */
export interface SoakReport {
  readonly seed: number;
  readonly rounds: number;
  readonly faults: readonly string[];
  readonly lives: number;
  readonly refused: number;
  readonly opened: number;
  readonly ended: number;
  readonly disturbances: number;
}

/** Runs a soak; never rejects for what it finds. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const { seed, time, least = { lives: 0, disturbances: 0 }, say = () => {} } = options;
  const random = new Random(seed);
  const world = new World(random, options.sabotage ?? {});
  const heap = new HeapTrend();
  const end = performance.now() + time;
  let rounds = 0;
  let baseline: Holdings | undefined;
  await world.start();
  const isEnough = () => world.counts.lives >= least.lives && world.counts.disturbances >= least.disturbances;
  while (world.faults.length === 0 && (rounds < 2 || performance.now() < end || !isEnough())) {
    await round(world, random, options);
    rounds += 1;
    if (world.faults.length > 0) break;
    await checkpoint(world, baseline, options.patience);
    // The first round opens what is opened once: lazy modules, the contexts of TLS.
    baseline ??= holdings();
    const memory = heap.sample();
    const fault = heap.fault();
    if (fault !== undefined) world.faults.push(fault);
    const { lives, disturbances } = world.counts;
    say(`round ${rounds}: ${lives} lives, ${disturbances >> 1} disturbances, ${mebibytes(memory)}`);
  }
  await world.stop();
  return { seed, rounds, faults: world.faults, ...world.counts };
}

async function round(world: World, random: Random, options: SoakOptions): Promise<void> {
  const { round: length = 2500, crowd = 24 } = options;
  const end = performance.now() + length;
  const running = new Set<Promise<void>>();
  const start = (step: Promise<void>): void => {
    const tracked: Promise<void> = step
      .catch((error: unknown) => void world.faults.push(`it threw ${String(error)}`))
      .finally(() => running.delete(tracked));
    running.add(tracked);
  };
  let disturbed = !random.onceIn(2);
  while (performance.now() < end && world.faults.length === 0) {
    if (running.size < crowd) start(world.live());
    if (random.onceIn(20)) world.speak();
    if (!disturbed && random.onceIn(60)) {
      disturbed = true;
      start(world.disturb());
    }
    await pause(random.below(12));
  }
  await Promise.all(running);
}

/** Looks whether everything is gone, some turns of the loop later. */
async function checkpoint(world: World, baseline: Holdings | undefined, within?: number): Promise<void> {
  try {
    const instead = () => world.left().join(', ');
    await eventually(() => world.left().length === 0, 'everything ended', { within, instead });
    const { opened, ended } = world.counts;
    if (opened !== ended) world.faults.push(`${opened} connections opened and ${ended} ended`);
    if (baseline !== undefined) await expectQuiet(baseline, { within });
  } catch (error) {
    world.faults.push(error instanceof Error ? error.message : String(error));
  }
}
