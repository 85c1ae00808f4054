/** Owns the load generator: building it with the compiler of the machine, and asking it. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SOURCES = fileURLToPath(new URL('load', import.meta.url));
const FOLDER = fileURLToPath(new URL('build', import.meta.url));
const PROGRAM = join(FOLDER, 'load');
/** Its commands are bounded by themselves; this is for a generator that hangs. */
const DEADLINE_MS = 150_000;

/** Compiles what is newer than the program. Throws an error that says what to install. */
export function buildGenerator() {
  const files = readdirSync(SOURCES).map((name) => join(SOURCES, name));
  const newest = Math.max(...files.map((file) => statSync(file).mtimeMs));
  if ((statSync(PROGRAM, { throwIfNoEntry: false })?.mtimeMs ?? 0) > newest) return;
  const compile = (...more) => {
    const sources = files.filter((file) => file.endsWith('.c'));
    const args = ['-O2', '-std=gnu11', '-Wall', '-Wextra', '-o', PROGRAM, ...sources, ...more];
    execFileSync('cc', args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 120_000 });
  };
  mkdirSync(FOLDER, { recursive: true });
  try {
    compile('-lssl', '-lcrypto');
  } catch (error) {
    if (error.code === 'ENOENT') throw new Error('the benchmark needs a C compiler named cc (Debian: apt install gcc)');
    // The headers of OpenSSL are not everywhere.
    compile('-DWITHOUT_TLS');
  }
}

/** The generator while it runs. It answers one command after the other. */
export class Generator {
  #process;
  #lines;
  /** Where its targets listen, whether it can do TLS, and how many files it may open. */
  about;

  /** @param {readonly string[]} prefix what pins it to its core */
  static async start(prefix) {
    const generator = new Generator();
    const [file, ...args] = [...prefix, PROGRAM];
    generator.#process = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    generator.#process.stdin.on('error', () => {});
    generator.#lines = createInterface({ input: generator.#process.stdout })[Symbol.asyncIterator]();
    generator.about = await generator.#answer();
    return generator;
  }

  /**
   * Throws with the reason when the measurement failed.
   *
   * @param {string} command
   * @param {Record<string, string | number>} settings
   */
  async ask(command, settings = {}) {
    const words = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    this.#process.stdin.write(`${[command, ...words].join(' ')}\n`);
    const { error, ...answer } = await this.#answer();
    if (error !== undefined) throw new Error(error);
    return answer;
  }

  /** It ends with its input. */
  stop() {
    this.#process.stdin.end();
  }

  async #answer() {
    const watchdog = setTimeout(() => this.#process.kill('SIGKILL'), DEADLINE_MS);
    const { value, done } = await this.#lines.next();
    clearTimeout(watchdog);
    if (done) throw new GeneratorEnded();
    return JSON.parse(value);
  }
}

/** Without a generator nothing more can be measured, of any proxy. */
export class GeneratorEnded extends Error {
  constructor() {
    super('the load generator ended');
  }
}
