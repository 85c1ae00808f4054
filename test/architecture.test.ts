/**
 * Owns the layout of the sources: which layer may import which, and the habits that keep a file readable. Reads them as
 * text. Refuses to judge what the code does.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, posix, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

interface Source {
  /** Relative to the root of the project, with slashes. */
  readonly path: string;
  readonly text: string;
  /** Without comments, so that an example in a comment is no import. */
  readonly code: string;
  readonly imports: readonly string[];
}

// A string comes first in the alternation: `//` inside of one begins no comment.
const STRING_OR_COMMENT = /('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
const IMPORT = /(?:^|[;\n])\s*(?:import|export)\b[^'"`;]*?from\s*'([^']+)'|\bimport\s*\(?\s*'([^']+)'/g;

function read(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const code = text.replace(STRING_OR_COMMENT, (_, string: string | undefined) => string ?? '');
  const imports = [...code.matchAll(IMPORT)].map((match) => match[1] ?? match[2]!);
  return { path, text, code, imports };
}

const sources = readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'))
  .sort()
  .map(read);

function layerOf(path: string): string {
  const [, layer = '', ...rest] = path.split('/');
  return rest.length > 0 ? layer : 'face';
}

/** The file or the package behind a specifier: `src/receivers/index.ts`, `ws`, `node:net`. */
function resolve(from: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.join(dirname(from), specifier).replace(/\.js$/, '.ts');
  if (specifier.startsWith('node:')) return specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

interface Layer {
  readonly layers: readonly string[];
  /** Packages and modules of Node.js; undefined for any. */
  readonly packages?: readonly string[];
}

// Modules without I/O: an actor decides and a port acts.
const PURE_NODE = ['buffer', 'crypto', 'events', 'perf_hooks', 'util'].map((name) => `node:${name}`);

const LAYERS: Readonly<Record<string, Layer>> = {
  receivers: { layers: [], packages: [] },
  protocol: { layers: ['receivers'], packages: ['zod', 'node:buffer', 'node:crypto'] },
  actors: { layers: ['receivers'], packages: ['xstate', 'p-queue', ...PURE_NODE] },
  server: { layers: ['receivers', 'protocol', 'actors'] },
  // Runs in browsers, too.
  client: { layers: [], packages: [] },
  // A page, which knows the server by its HTTP API only; what it imports is bundled into it.
  dashboard: { layers: [], packages: ['uplot'] },
  // For the tests of applications: no framework, and no sockets.
  testing: {
    layers: ['receivers', 'protocol', 'actors', 'server'],
    packages: [
      'xstate',
      'node:assert',
      'node:async_hooks',
      'node:buffer',
      'node:events',
      'node:util',
      'node:v8',
      'node:vm',
    ],
  },
  face: { layers: ['receivers', 'protocol', 'actors', 'server', 'testing'], packages: [] },
};

/** Every offence of every file, as `path: what is wrong`; the second part says what to do about it. */
function offences(judge: (source: Source) => readonly string[] | string | undefined): string[] {
  return sources.flatMap((source) => [judge(source) ?? []].flat().map((wrong) => `${source.path}: ${wrong}`));
}

describe('the layers', () => {
  it('are receivers, protocol, actors and server, beside the client, the dashboard, the testing kit and the public faces', () => {
    const unknown = offences(({ path }) =>
      LAYERS[layerOf(path)]
        ? undefined
        : 'belongs to no layer; move it, or name its layer in this test and in the docs',
    );
    expect(unknown).toEqual([]);
    expect(sources.length).toBeGreaterThan(0);
  });

  it('import in one direction only: receivers <- protocol, receivers <- actors, and the server may import all', () => {
    const wrong = offences(({ path, imports }) => {
      const own = layerOf(path);
      const { layers = [] } = LAYERS[own] ?? {};
      return imports
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => layerOf(resolve(path, specifier)))
        .filter((other) => other !== own && !layers.includes(other))
        .map((other) => `${own} may not import ${other}; pass what is needed as a value or through a port`);
    });
    expect(wrong).toEqual([]);
  });

  it('import only the packages that fit them: no I/O below the server', () => {
    const wrong = offences(({ path, imports }) => {
      const { packages } = LAYERS[layerOf(path)] ?? {};
      if (packages === undefined) return undefined;
      return imports
        .filter((specifier) => !specifier.startsWith('.'))
        .map((specifier) => resolve(path, specifier))
        .filter((name) => !packages.includes(name))
        .map((name) => `may not import ${name}; move the I/O into src/server, behind a port`);
    });
    expect(wrong).toEqual([]);
  });

  it('import relative files by their full name with .js, and only files that exist', () => {
    const paths = new Set(sources.map(({ path }) => path));
    const wrong = offences(({ path, imports }) =>
      imports
        .filter((specifier) => specifier.startsWith('.'))
        .filter((specifier) => !specifier.endsWith('.js') || !paths.has(resolve(path, specifier)))
        .map((specifier) => `imports ${specifier}, which is no file of src; write the file's name with .js`),
    );
    expect(wrong).toEqual([]);
  });

  it('import no development dependency and nothing that package.json does not name', () => {
    const manifest: { dependencies: Record<string, string>; optionalDependencies?: Record<string, string> } =
      JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const known = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
    const wrong = offences(({ path, imports }) =>
      imports
        .map((specifier) => resolve(path, specifier))
        .filter(() => layerOf(path) !== 'dashboard')
        .filter((name) => !name.startsWith('src/') && !name.startsWith('node:') && !known.includes(name))
        .map(
          (name) => `imports ${name}, which an installed tidegate does not have; add it to dependencies or do without`,
        ),
    );
    expect(wrong).toEqual([]);
  });

  it('have no import cycles between files', () => {
    expect(findCycles()).toEqual([]);
  });
});

/** Import cycles as `a -> b -> a`. A type-only import counts too: two files that need each other's types are one. */
function findCycles(): string[] {
  const graph = new Map(
    sources.map(({ path, imports }) => [
      path,
      imports.filter((specifier) => specifier.startsWith('.')).map((specifier) => resolve(path, specifier)),
    ]),
  );
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      const cycle = [...trail.slice(trail.indexOf(path)), path].join(' -> ');
      cycles.push(`${cycle}: move what both need into a file of its own`);
      return;
    }
    if (done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return cycles;
}

describe('the files', () => {
  it('have kebab-case names that say what is inside', () => {
    const vague = /^(utils?|helpers?|common|misc|shared|stuff)$/;
    const wrong = offences(({ path }) => {
      const parts = path.split('/').slice(1);
      const file = basename(path, '.ts');
      if (parts.map((part) => part.replace(/\.ts$/, '')).some((part) => vague.test(part))) {
        return 'says nothing about what it holds; name it after the thing it owns';
      }
      // A dot sets off the role: connection.machine.ts, connection.effects.ts.
      const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*$/;
      const folders = parts.slice(0, -1);
      if (![...folders, file].every((part) => kebab.test(part))) return 'rename it in kebab-case';
    });
    expect(wrong).toEqual([]);
  });

  it('open with a comment that says what they own', () => {
    const wrong = offences(({ text }) =>
      /^(#![^\n]*\n)?\s*\/\*\*/.test(text) ? undefined : 'begin it with /** Owns …; refuses to … */',
    );
    expect(wrong).toEqual([]);
  });

  it('have at most 320 lines', () => {
    const wrong = offences(({ text }) => {
      const lines = text.split('\n').length - 1;
      return lines > 320 ? `has ${lines} lines; split off what can be named on its own` : undefined;
    });
    expect(wrong).toEqual([]);
  });

  it('have no default export', () => {
    const wrong = offences(({ code }) =>
      /\bexport\s+default\b|\bexport\s*\{[^}]*\bas\s+default\b/.test(code)
        ? 'has a default export; export it by its name'
        : undefined,
    );
    expect(wrong).toEqual([]);
  });

  it('keep no timers in receivers and protocol, which are pure', () => {
    const wrong = offences(({ path, code }) =>
      ['receivers', 'protocol'].includes(layerOf(path)) && /\bset(Timeout|Interval|Immediate)\b/.test(code)
        ? 'sets a timer; the layers above keep time and pass it in'
        : undefined,
    );
    expect(wrong).toEqual([]);
  });

  it('only re-export in the public faces', () => {
    const wrong = offences(({ path, code }) => {
      if (layerOf(path) !== 'face') return undefined;
      const rest = code.replace(/\bexport\s+(?:type\s+)?(?:\{[^}]*\}|\*(?:\s+as\s+\w+)?)\s+from\s+'[^']+';?/g, '');
      return rest.trim() === ''
        ? undefined
        : `holds code of its own; move it into a layer: ${rest.trim().slice(0, 60)}`;
    });
    expect(wrong).toEqual([]);
  });
});
