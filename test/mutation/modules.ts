/**
 * Owns loading the protocol modules anew with one of them changed: TypeScript to JavaScript, imports to calls, and every
 * turn of a loop counted, since a changed one may never end. Refuses to touch the modules that other tests use.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { Script } from 'node:vm';
import { parseSync, transformWithOxc } from 'vite';
import type * as closeFrame from '../../src/protocol/close-frame.js';
import type * as frameRules from '../../src/protocol/frame-rules.js';
import type * as frameScanner from '../../src/protocol/frame-scanner.js';
import type * as mask from '../../src/protocol/mask.js';
import type * as utf8Stream from '../../src/protocol/utf8-stream.js';

const ROOT = join(import.meta.dirname, '../..');
const requireNode = createRequire(import.meta.url);

/** The exports that the probes are run against. */
export type ProtocolModules = typeof closeFrame &
  typeof frameRules &
  typeof frameScanner &
  typeof mask &
  typeof utf8Stream;

/** The modules whose mutants are made. */
export const MUTATED = ['frame-scanner', 'frame-rules', 'mask', 'close-frame', 'utf8-stream'].map(
  (name) => `src/protocol/${name}.ts`,
);

type Exports = Record<string, unknown>;
type Factory = (load: (specifier: string) => unknown, exports: Exports, turn: () => true) => void;

/** Reads a source by its path from the root of the project. */
export function sourceOf(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** The modules with their imports, compiled once; a changed one is compiled for each change. */
export class ModuleSet {
  /** How many turns of loops the modules may still take; below 0 they throw. */
  turnsLeft = Number.MAX_SAFE_INTEGER;
  readonly #factories = new Map<string, Factory>();

  /** Compiles everything that the modules import. */
  static async compile(): Promise<ModuleSet> {
    const set = new ModuleSet();
    for (const path of MUTATED) await set.#add(path);
    return set;
  }

  /** Loads all modules anew, one of them from another source. */
  async load(path?: string, source?: string): Promise<ProtocolModules> {
    const changed = path === undefined || source === undefined ? undefined : (await compile(path, source)).factory;
    const loaded = new Map<string, Exports>();
    const turn = (): true => {
      this.turnsLeft -= 1;
      if (this.turnsLeft < 0) throw new Error('the modules take more turns than the original ones');
      return true;
    };
    const load = (wanted: string): Exports => {
      const known = loaded.get(wanted);
      if (known !== undefined) return known;
      const exports: Exports = {};
      loaded.set(wanted, exports);
      const factory = wanted === path && changed !== undefined ? changed : this.#factories.get(wanted);
      if (factory === undefined) throw new Error(`${wanted} was not compiled`);
      factory((name) => (isOurs(name) ? load(resolve(wanted, name)) : requireNode(name)), exports, turn);
      return exports;
    };
    return Object.assign({}, ...MUTATED.map(load)) as ProtocolModules;
  }

  async #add(path: string): Promise<void> {
    if (this.#factories.has(path)) return;
    const { factory, imports } = await compile(path, sourceOf(path));
    this.#factories.set(path, factory);
    for (const specifier of imports.filter(isOurs)) await this.#add(resolve(path, specifier));
  }
}

function isOurs(specifier: string): boolean {
  return specifier.startsWith('.');
}

function resolve(from: string, specifier: string): string {
  return relative(ROOT, join(ROOT, dirname(from), specifier.replace(/\.js$/, '.ts')));
}

async function compile(path: string, source: string): Promise<{ factory: Factory; imports: string[] }> {
  const { code } = await transformWithOxc(source, path, { sourcemap: false, target: 'es2023' });
  const imports: string[] = [];
  const exported: string[] = [];
  const edits: Edit[] = [];
  const { program } = parseSync(path.replace('.ts', '.js'), code);
  for (const statement of program.body) {
    const { start, end } = statement;
    if (statement.type === 'ImportDeclaration') {
      const names = statement.specifiers.map(({ local }) => local.name).join(', ');
      imports.push(statement.source.value);
      edits.push({ start, end, text: `const { ${names} } = load(${JSON.stringify(statement.source.value)});` });
    } else if (statement.type === 'ExportNamedDeclaration') {
      const { declaration, specifiers } = statement;
      exported.push(...specifiers.map(({ local }) => nameOf(local)));
      edits.push({ start, end: declaration?.start ?? end, text: '' });
      if (declaration?.type === 'VariableDeclaration')
        exported.push(...declaration.declarations.map(({ id }) => nameOf(id)));
      else if (declaration !== null && 'id' in declaration) exported.push(nameOf(declaration.id));
    }
  }
  countTurns(program as unknown as Loop, edits);
  const body = `${edited(code, edits)}\nObject.assign(exports, { ${exported.join(', ')} });`;
  const script = new Script(`(function (load, exports, turn) {\n${body}\n})`, { filename: path });
  return { factory: script.runInThisContext() as Factory, imports };
}

function nameOf(id: unknown): string {
  return (id as { readonly name: string }).name;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

interface Loop {
  readonly type: string;
  readonly test?: { readonly start: number; readonly end: number };
}

/** Makes every turn of a `while` or `for` count. */
function countTurns(node: Loop, edits: Edit[]): void {
  if (/^(While|DoWhile|For)Statement$/.test(node.type) && node.test) {
    const { start, end } = node.test;
    edits.push({ start, end: start, text: 'turn() && (' }, { start: end, end, text: ')' });
  }
  for (const value of Object.values(node).flat() as unknown[]) {
    if (typeof value === 'object' && value !== null && 'type' in value) countTurns(value as Loop, edits);
  }
}

function edited(code: string, edits: readonly Edit[]): string {
  let result = '';
  let at = 0;
  for (const { start, end, text } of [...edits].sort((a, b) => a.start - b.start || a.end - b.end)) {
    result += code.slice(at, start) + text;
    at = end;
  }
  return result + code.slice(at);
}
