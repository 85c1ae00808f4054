/** Owns what a mutant is held to: what one module is asked at a time, and the case table in pieces of several sizes. */
import { ALL_CASES, sendersOf } from '../conformance/cases/table.js';
import { readCase } from '../conformance/pure-reader.js';
import type { ProtocolModules } from './modules.js';
import { scannerAtRest, scannerFails, scannerLimits, scannerRefuses, scannerStops } from './scanner-probes.js';
import { closing, masking, rules, text } from './unit-probes.js';

/** One check; it throws where the modules are wrong. */
export interface Probe {
  readonly name: string;
  run(modules: ProtocolModules): void;
}

const CASES = ALL_CASES.map((one) => ({
  one,
  bytes: one.frames.reduce((sum, { payload = '' }) => sum + 14 + payload.length, 0),
})).filter(({ bytes }) => bytes < 70_000);

function table(sizeOf: (bytes: number) => number | undefined): Probe['run'] {
  return (modules) => {
    for (const { one, bytes } of CASES) {
      const size = sizeOf(bytes);
      if (size === undefined) continue;
      for (const sender of sendersOf(one)) readCase(modules, one, sender, size);
    }
  };
}

/** In the order of what they cost. */
export const PROBES: readonly Probe[] = [
  { name: 'rules', run: rules },
  { name: 'a scanner at rest', run: scannerAtRest },
  { name: 'a scanner that is stopped', run: scannerStops },
  { name: 'a scanner whose frame is refused', run: scannerRefuses },
  { name: 'a scanner that fails', run: scannerFails },
  { name: 'limits of a scanner', run: scannerLimits },
  { name: 'closing', run: closing },
  { name: 'text', run: text },
  { name: 'masking', run: masking },
  { name: 'the cases, whole', run: table((bytes) => (bytes < 2000 ? bytes : undefined)) },
  { name: 'the cases, byte by byte', run: table((bytes) => (bytes < 300 ? 1 : undefined)) },
  { name: 'the large cases', run: table((bytes) => (bytes < 2000 ? undefined : 4093)) },
];
