/**
 * Owns the checked-in results under expected/: one line for each case, so that a diff shows what changed. Refuses to be the
 * judge of them: a case has its verdict, and what contradicts it fails whatever is checked in.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const FOLDER = join(import.meta.dirname, 'expected');

/** Whether results are written instead of compared: `CONFORMANCE_UPDATE=1 npx vitest run test/conformance`. */
const UPDATES = process.env.CONFORMANCE_UPDATE === '1';

/** The results of one file. */
export class Expected {
  readonly #path: string;
  readonly #known: ReadonlyMap<string, string>;
  readonly #seen = new Map<string, string>();

  constructor(name: string) {
    this.#path = join(FOLDER, `${name.replaceAll(' ', '-')}.txt`);
    this.#known = new Map(UPDATES || !existsSync(this.#path) ? [] : readLines(this.#path));
  }

  /** Notes a result, and gives the one that is checked in. */
  noted(id: string, result: string): string | undefined {
    if (this.#seen.has(id)) throw new Error(`two cases have the id ${id}`);
    this.#seen.set(id, result);
    return UPDATES ? result : this.#known.get(id);
  }

  /** The ids that are checked in and that nothing noted. When results are written, this writes them. */
  finish(): string[] {
    if (UPDATES) {
      mkdirSync(dirname(this.#path), { recursive: true });
      writeFileSync(this.#path, [...this.#seen].map(([id, result]) => `${id}\t${result}\n`).join(''));
    }
    return [...this.#known.keys()].filter((id) => !this.#seen.has(id));
  }
}

function readLines(path: string): [id: string, result: string][] {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => line.split('\t') as [id: string, result: string]);
}
