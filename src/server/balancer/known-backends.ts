/**
 * Owns the backends that a balancer was told of by its options and by code: they are there again after a restart. Refuses to know which
 * others there are, and what state any is in.
 */
import { isDeepStrictEqual } from 'node:util';
import type { BackendSource, BackendSpec } from '../../actors/backend.js';
import { TidegateError } from '../../receivers/index.js';
import { type BackendConfig, type BackendPatch, backend, backendPatch, backends } from '../config/balancer/backends.js';
import { type Speech, speechOfUrl } from '../config/balancer/speech.js';
import { findProblems, formatProblem, type Problem } from '../config/problems.js';

/** What a new list of backends changed, as ids. */
export interface BackendChanges {
  readonly added: readonly string[];
  readonly updated: readonly string[];
  readonly removed: readonly string[];
  /** New ones whose id another backend still has; each is added when that one is gone. */
  readonly waiting: readonly string[];
}

/** What of a running balancer is told about a new list. */
export interface BackendHolder {
  sourceOf(id: string): BackendSource | undefined;
  add(spec: BackendSpec): void;
  update(spec: BackendSpec): void;
  remove(id: string): void;
}

/** The backends that were named. */
export class KnownBackends {
  readonly speaks: Speech;
  readonly #added = new Map<string, BackendSpec>();
  /** Ids of the options that others still have. */
  readonly #waiting = new Set<string>();
  #configured: readonly BackendConfig[];

  constructor(configured: readonly BackendConfig[], speaks: Speech) {
    this.#configured = configured;
    this.speaks = speaks;
  }

  /** Those of the options, as they are now. */
  get configured(): readonly BackendConfig[] {
    return this.#configured;
  }

  /** Those that code or the admin API added, but for ids that the options have meanwhile. */
  get added(): BackendSpec[] {
    return [...this.#added.values()].filter(({ id }) => this.#configured.every((one) => one.id !== id));
  }

  /** A start begins, with all of them: nobody has to wait any more. */
  began(): void {
    this.#waiting.clear();
  }

  add(spec: BackendSpec): void {
    this.#added.set(spec.id, spec);
  }

  remove(id: string): void {
    this.#added.delete(id);
  }

  /** Keeps what is otherwise now of one that code added; those of the options are as the options say. */
  update(spec: BackendSpec): void {
    if (this.#added.has(spec.id)) this.#added.set(spec.id, spec);
  }

  /** Takes another list in place of the options' one, and tells the pool of a running balancer what is otherwise in it. */
  replace(configured: readonly BackendConfig[], pool: BackendHolder | undefined): BackendChanges {
    const before = new Map(this.#configured.map((one) => [one.id, one]));
    const after = new Set(configured.map(({ id }) => id));
    const removed = this.#configured.flatMap(({ id }) => (after.has(id) ? [] : id));
    const changes = { added: [] as string[], updated: [] as string[], removed, waiting: [] as string[] };
    this.#configured = configured;
    for (const id of removed) {
      const isWaiting = this.#waiting.delete(id);
      if (!isWaiting && pool?.sourceOf(id) === 'config') pool.remove(id);
    }
    for (const one of configured) {
      const known = before.get(one.id);
      if (known !== undefined && isDeepStrictEqual(one, known)) continue;
      const spec: BackendSpec = { ...one, source: 'config' };
      const source = pool?.sourceOf(one.id);
      if (source === undefined) {
        changes[known === undefined ? 'added' : 'updated'].push(one.id);
        pool?.add(spec);
      } else if (known !== undefined && source === 'config' && !this.#waiting.has(one.id)) {
        changes.updated.push(one.id);
        pool?.update(spec);
      } else {
        changes.waiting.push(one.id);
        this.#waiting.add(one.id);
      }
    }
    return changes;
  }

  /** The one of the options that waited for an id, which nobody has any more; undefined for none. */
  heirOf(id: string): BackendSpec | undefined {
    if (!this.#waiting.delete(id)) return undefined;
    const one = this.#configured.find((other) => other.id === id);
    return one === undefined ? undefined : { ...one, source: 'config' };
  }

  /** @throws TidegateError `INVALID_OPTION` for what is no backend, or none that this balancer can speak with. */
  readOne(input: unknown): BackendConfig {
    const found = findProblems(backend, input, { expected: 'expected a backend' });
    return this.#speaking(usable(found, 'backend'));
  }

  /** @throws TidegateError `INVALID_OPTION`, as {@link readOne}, and for an id that is there twice. */
  readList(input: unknown): BackendConfig[] {
    const found = findProblems(backends, input, { expected: 'expected a list of backends' });
    return usable(found, 'backends').map((one) => this.#speaking(one));
  }

  /** @throws TidegateError `INVALID_OPTION` for what cannot be changed, or not to that. */
  readPatch(input: unknown): BackendPatch {
    const found = findProblems(backendPatch, input, { expected: 'expected an object with what is to change' });
    const patch = usable(found, 'backend');
    if (patch.url !== undefined) this.#speaking({ url: patch.url });
    return patch;
  }

  #speaking<Backend extends { readonly url: string }>(one: Backend): Backend {
    if (speechOfUrl(one.url) === this.speaks) return one;
    const right = this.speaks === 'websocket' ? 'ws: or wss:' : 'tcp:, tls: or unix:';
    const message = `url: got ${JSON.stringify(one.url)}; expected ${right}, which is what the other backends speak`;
    throw new TidegateError('INVALID_OPTION', message);
  }
}

function usable<T>({ value, problems }: { value?: T; problems: readonly Problem[] }, whole: string): T {
  if (value !== undefined) return value;
  throw new TidegateError('INVALID_OPTION', problems.map((problem) => formatProblem(problem, whole)).join('\n'));
}
