/**
 * Owns reading the text format of Prometheus, strictly: a page that breaks a rule of the format, or of how metrics are named, is not read
 * but complained about. Refuses to know which metrics there should be.
 */

/** One line of numbers. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One metric. */
export interface ReadFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** A page that was read. */
export class ExpositionPage {
  readonly families: ReadonlyMap<string, ReadFamily>;

  constructor(families: ReadonlyMap<string, ReadFamily>) {
    this.families = families;
  }

  get samples(): Sample[] {
    return [...this.families.values()].flatMap(({ samples }) => samples);
  }

  /** The sum of the samples with these labels; undefined when there is none. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const found = this.samples.filter(
      (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    );
    return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
  }
}

const NAME = '[a-zA-Z_][a-zA-Z0-9_]*';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (NaN|[+-]Inf|[+-]?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?)$`, 'i');
const LABEL = new RegExp(`^(${NAME})="((?:[^"\\\\\\n]|\\\\[\\\\"n])*)"(,|$)`);
const SUFFIXES: Readonly<Record<string, readonly string[]>> = { histogram: ['_bucket', '_sum', '_count'] };

/** @throws Error that names the line and the rule it breaks. */
export function readExposition(text: string): ExpositionPage {
  const families = new Map<string, ReadFamily & { samples: Sample[] }>();
  const seen = new Set<string>();
  let current: (ReadFamily & { samples: Sample[] }) | undefined;
  let help: [name: string, text: string] | undefined;
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  for (const line of text.split('\n')) {
    const fail = (rule: string) => new Error(`${rule}: ${line}`);
    if (line === '') continue;
    if (line.startsWith('# HELP ')) {
      const [, name = '', said = ''] = /^# HELP (\S+) (.+)$/.exec(line) ?? [];
      if (name === '') throw fail('no help');
      help = [name, said];
      continue;
    }
    if (line.startsWith('# TYPE ')) {
      const [, name = '', type = ''] = /^# TYPE (\S+) (counter|gauge|histogram|summary|untyped)$/.exec(line) ?? [];
      if (help?.[0] !== name) throw fail('a type without the help of the same metric before it');
      if (families.has(name)) throw fail('a metric comes twice');
      if ((type === 'counter') !== name.endsWith('_total')) throw fail('a counter, and nothing else, ends with _total');
      current = { name, type, help: help[1], samples: [] };
      families.set(name, current);
      continue;
    }
    if (line.startsWith('#')) throw fail('a comment of no kind');
    const [, name = '', inner = '', number = ''] = SAMPLE.exec(line) ?? [];
    if (name === '') throw fail('not a sample');
    const suffixes = SUFFIXES[current?.type ?? ''] ?? [''];
    if (current === undefined || !suffixes.some((suffix) => name === current?.name + suffix)) {
      throw fail('a sample outside of its metric');
    }
    const labels = readLabels(inner, fail);
    const key = `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
    if (seen.has(key)) throw fail('a series comes twice');
    seen.add(key);
    const value = number.endsWith('Inf') ? Number(number.replace('Inf', 'Infinity')) : Number(number);
    if (current.type === 'counter' && !(value >= 0)) throw fail('a counter below nothing');
    current.samples.push({ name, labels, value });
  }
  for (const family of families.values()) if (family.type === 'histogram') checkHistogram(family);
  return new ExpositionPage(families);
}

function readLabels(inner: string, fail: (rule: string) => Error): Record<string, string> {
  const labels: Record<string, string> = {};
  let rest = inner;
  while (rest !== '') {
    const [all, name = '', value = ''] = LABEL.exec(rest) ?? [''];
    if (all === '') throw fail('not a label');
    if (name in labels) throw fail('a label comes twice');
    labels[name] = value.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
    rest = rest.slice(all.length);
  }
  return labels;
}

/** Buckets only grow, the last one has everything, and so says the count. */
function checkHistogram({ name, samples }: ReadFamily): void {
  const last = new Map<string, { le: number; value: number }>();
  for (const { name: full, labels, value } of samples) {
    const { le = '', ...own } = labels;
    const key = JSON.stringify(Object.entries(own).sort());
    if (full === `${name}_bucket`) {
      const bound = le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le);
      const before = last.get(key) ?? { le: Number.NEGATIVE_INFINITY, value: 0 };
      if (!(bound > before.le) || value < before.value) throw new Error(`buckets of ${name} are out of order at ${le}`);
      last.set(key, { le: bound, value });
    }
    if (full === `${name}_count`) {
      const all = last.get(key);
      if (all?.le !== Number.POSITIVE_INFINITY || all.value !== value) {
        throw new Error(`the count of ${name} is not that of its last bucket`);
      }
    }
  }
}
