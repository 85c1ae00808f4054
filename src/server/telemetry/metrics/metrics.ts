/**
 * Owns the metrics of one admin side, over all its servers, in the text format of Prometheus. Everything is read when it is asked for.
 * Refuses to keep a number, and to touch the global registry of prom-client, which is the application's.
 */
import { type Metric, Registry } from 'prom-client';
import type { Administration } from '../../admin/administration.js';
import { FAMILIES } from './families.js';
import type { Family, HistogramRow, Row } from './family.js';
import { processMetrics } from './process-metrics.js';
import { readServer, type ServerReading } from './reading.js';

/** What is asked for, as text. */
export interface Exposition {
  /** The media type. */
  readonly type: string;
  readonly text: string;
}

/** The metrics of the servers of one admin side. */
export class Metrics {
  readonly #servers: ReadonlyMap<string, Administration>;

  constructor(servers: ReadonlyMap<string, Administration>) {
    this.#servers = servers;
  }

  /** Reads everything; walks over every connection of every server, without a turn in between. */
  async expose(): Promise<Exposition> {
    const readings = [...this.#servers].map(([name, server]) => readServer(name, server));
    const registry = new Registry();
    for (const family of FAMILIES) registry.registerMetric(read(family, readings) as unknown as Metric);
    const [own, ofProcess] = await Promise.all([registry.metrics(), processMetrics().metrics()]);
    return { type: registry.contentType, text: `${own}\n${ofProcess}` };
  }
}

/** One line; a histogram has several names. */
interface SeriesValue {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What prom-client asks of a metric when it writes one down. */
interface Readable extends Pick<Family, 'name'> {
  get(): Promise<Pick<Family, 'name' | 'help' | 'type'> & { readonly values: readonly SeriesValue[] }>;
}

function read(family: Family, readings: readonly ServerReading[]): Readable {
  const { name, help, type } = family;
  const values = readings.flatMap((reading) => valuesOf(family, reading));
  return { name, get: async () => ({ name, help, type, values }) };
}

function valuesOf(family: Family, reading: ServerReading): SeriesValue[] {
  const labelled = (values: readonly string[]) => labelsOf(family, reading, values);
  if (family.type === 'histogram') {
    return [...family.read(reading)].flatMap((row) => histogramValues(family.name, labelled(row[0]), row));
  }
  return Array.from(family.read(reading), ([labels, value]: Row) => ({ labels: labelled(labels), value }));
}

function labelsOf({ labels }: Family, { server }: ServerReading, values: readonly string[]): Record<string, string> {
  const named: Record<string, string> = { server };
  for (const [at, label] of labels.entries()) named[label] = values[at] ?? '';
  return named;
}

function histogramValues(
  name: string,
  labels: Record<string, string>,
  [, { bounds, counts, sum }]: HistogramRow,
): SeriesValue[] {
  const values: SeriesValue[] = [];
  let count = 0;
  for (const [at, more] of counts.entries()) {
    count += more;
    values.push({
      metricName: `${name}_bucket`,
      labels: { ...labels, le: String(bounds[at] ?? '+Inf') },
      value: count,
    });
  }
  values.push({ metricName: `${name}_sum`, labels, value: sum }, { metricName: `${name}_count`, labels, value: count });
  return values;
}
