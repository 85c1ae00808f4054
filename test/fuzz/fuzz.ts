/**
 * Owns the loop of fuzzing: the corpus first, then changed inputs, those that did something new being changed further.
 * Refuses to know what is fuzzed.
 */
import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Corpus } from './corpus.js';
import { Coverage } from './coverage.js';
import { type Mutator, mutated } from './mutate.js';
import { Random } from './random.js';

/** What is fuzzed. */
export interface FuzzTarget {
  readonly name: string;
  /** The files of src whose coverage counts, without extension. */
  readonly modules: readonly string[];
  readonly mutators: readonly Mutator[];
  /**
   * Runs one input. Throws when it broke an invariant, and otherwise answers with a few words about what came of it: an
   * input with a new answer is kept, as one that covers new code is.
   */
  run(input: Buffer): string | Promise<string>;
  close?(): Promise<void>;
}

/** How long, and from where. */
export interface FuzzOptions {
  readonly seed: number;
  /** Milliseconds of fuzzing after the corpus was replayed. */
  readonly time: number;
  readonly corpus: Corpus;
  /** Whether V8 is asked which code ran. */
  readonly coverage?: boolean;
  /** Whether what covered new code is saved beside the findings. */
  readonly keep?: boolean;
  readonly onProgress?: (progress: Progress) => void;
  /** Called with each input before it runs. */
  readonly onInput?: (input: Buffer) => void;
}

/** How far it is. */
export interface Progress {
  readonly runs: number;
  readonly inputs: number;
  readonly blocks: number;
  readonly findings: number;
}

/** An input that broke an invariant. */
export interface Finding {
  readonly file: string;
  readonly message: string;
}

/** What came of it. */
export interface FuzzReport extends Progress {
  readonly found: readonly Finding[];
}

/** Inputs and milliseconds between two looks at the coverage, which costs some milliseconds each. */
const BATCH = 512;
const LOOK_MS = 300;
const MOST_INPUTS = 4000;
const MOST_FINDINGS = 8;

/** Fuzzes one target until the time is up. The loop goes by the seed alone, but for where the time ends it. */
export async function fuzz(target: FuzzTarget, options: FuzzOptions): Promise<FuzzReport> {
  const fuzzer = new Fuzzer(target, options);
  try {
    await fuzzer.replay();
    await fuzzer.explore();
  } finally {
    fuzzer.stop();
  }
  return fuzzer.report();
}

class Fuzzer {
  readonly #target: FuzzTarget;
  readonly #options: FuzzOptions;
  readonly #random: Random;
  readonly #coverage: Coverage | undefined;
  readonly #blocks = new Set<string>();
  readonly #answers = new Set<string>();
  readonly #inputs: Buffer[] = [];
  readonly #found = new Map<string, Finding>();
  #batch: Buffer[] = [];
  #runs = 0;
  #lookedAt = performance.now();

  constructor(target: FuzzTarget, options: FuzzOptions) {
    this.#target = target;
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#coverage = options.coverage === true ? new Coverage(target.modules) : undefined;
  }

  async replay(): Promise<void> {
    for (const { name, bytes } of this.#options.corpus.read()) {
      this.#inputs.push(bytes);
      const failure = await this.#try(bytes);
      if (failure !== undefined) this.#found.set(name, { file: name, message: failure });
    }
    if (this.#inputs.length === 0) this.#inputs.push(Buffer.alloc(0));
    for (const block of this.#coverage?.taken() ?? []) this.#blocks.add(block);
    this.#batch = [];
  }

  async explore(): Promise<void> {
    const end = performance.now() + this.#options.time;
    let told = performance.now();
    while (performance.now() < end && this.#found.size < MOST_FINDINGS) {
      await this.#mutateOnce();
      if (this.#batch.length >= BATCH || performance.now() - this.#lookedAt > LOOK_MS) {
        await this.#lookAtCoverage();
        // Streams tell of their ends in turns of their own.
        await nextTurn();
      }
      if (performance.now() - told < 5000) continue;
      told = performance.now();
      this.#options.onProgress?.(this.#progress());
    }
  }

  stop(): void {
    this.#coverage?.stop();
  }

  report(): FuzzReport {
    return { ...this.#progress(), found: [...this.#found.values()] };
  }

  #progress(): Progress {
    const { size: findings } = this.#found;
    return { runs: this.#runs, inputs: this.#inputs.length, blocks: this.#blocks.size, findings };
  }

  async #mutateOnce(): Promise<void> {
    const random = this.#random;
    const inputs = this.#inputs;
    // What came last has been changed least.
    const from = random.onceIn(2)
      ? random.below(inputs.length)
      : inputs.length - 1 - random.below(Math.min(16, inputs.length));
    const input = mutated(inputs[from]!, random, random.pick(inputs), this.#target.mutators);
    const failure = await this.#try(input);
    if (failure !== undefined) await this.#keepFinding(input, failure);
  }

  /** Runs an input; answers with what went wrong. */
  async #try(input: Buffer): Promise<string | undefined> {
    this.#runs += 1;
    this.#batch.push(input);
    this.#options.onInput?.(input);
    try {
      const running = this.#target.run(Buffer.from(input));
      const answer = typeof running === 'string' ? running : await running;
      if (!this.#answers.has(answer)) {
        this.#answers.add(answer);
        this.#keepInput(input);
      }
      return undefined;
    } catch (error) {
      return error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
  }

  #keepInput(input: Buffer): void {
    if (this.#inputs.includes(input)) return;
    this.#inputs.push(input);
    if (this.#inputs.length > MOST_INPUTS) this.#inputs.splice(this.#random.below(MOST_INPUTS / 2), 1);
  }

  async #lookAtCoverage(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    if (this.#coverage !== undefined && this.#isNew(this.#coverage.taken())) await this.#locate(batch, this.#coverage);
    this.#batch = [];
    this.#lookedAt = performance.now();
  }

  /** Runs the inputs once more, half and half again, to see which of them did something new. */
  async #locate(inputs: readonly Buffer[], coverage: Coverage): Promise<void> {
    for (const input of inputs) await this.#try(input);
    const blocks = coverage.taken();
    if (inputs.length > 1) {
      if (!this.#isNew(blocks)) return;
      await this.#locate(inputs.slice(0, inputs.length >> 1), coverage);
      await this.#locate(inputs.slice(inputs.length >> 1), coverage);
      return;
    }
    const [input] = inputs;
    const fresh = blocks.filter((block) => !this.#blocks.has(block));
    if (input === undefined || fresh.length === 0) return;
    for (const block of fresh) this.#blocks.add(block);
    this.#keepInput(input);
    if (this.#options.keep === true) this.#options.corpus.save('covers', input);
  }

  /** Of many inputs the counts are added up, so only the place says whether something is new. */
  #isNew(blocks: readonly string[]): boolean {
    return blocks.some((block) => {
      const place = block.slice(0, -1);
      return ![1, 2, 3, 4].some((count) => this.#blocks.has(`${place}${count}`));
    });
  }

  async #keepFinding(input: Buffer, message: string): Promise<void> {
    const kind = kindOf(message);
    if (this.#found.has(kind)) return;
    let smallest = input;
    for (let step = input.length >> 1; step >= 1; step >>= 1) {
      for (let at = 0; at < smallest.length; at += step) {
        const smaller = Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + step)]);
        const again = await this.#try(smaller);
        if (again === undefined || kindOf(again) !== kind) continue;
        smallest = smaller;
        at -= step;
      }
    }
    this.#found.set(kind, { file: this.#options.corpus.save('finding', smallest), message });
  }
}

/** The first line without its numbers: the same fault with other bytes is the same finding. */
function kindOf(message: string): string {
  return (message.split('\n')[0] ?? '').replace(/\d+/g, '0').slice(0, 80);
}
