/** Owns the contract of one metric: its name, its kind, its labels and where its values come from. Refuses to write it down. */
import type { DistributionSnapshot } from '../../observation/distribution.js';
import type { ServerReading } from './reading.js';

/** The values of the labels, in the order of their names, and the value. */
export type Row = readonly [labels: readonly string[], value: number];

/** A histogram with these values of its labels. */
export type HistogramRow = readonly [labels: readonly string[], value: DistributionSnapshot];

interface FamilyHead {
  /** With its unit, and `_total` for a counter. */
  readonly name: string;
  /** One sentence. */
  readonly help: string;
  /** Beside `server`, which all of them have, and comes first. */
  readonly labels: readonly string[];
}

/** A metric with one number for each combination of labels. */
export interface NumberFamily extends FamilyHead {
  readonly type: 'counter' | 'gauge';
  read(reading: ServerReading): Iterable<Row>;
}

/** A metric that tells how often something took how long. */
export interface HistogramFamily extends FamilyHead {
  readonly type: 'histogram';
  read(reading: ServerReading): Iterable<HistogramRow>;
}

/** A metric. */
export type Family = NumberFamily | HistogramFamily;
