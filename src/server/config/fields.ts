/**
 * Owns the kinds an option can have, as builders of zod schemas that carry everything the flag, the environment variable,
 * the JSON Schema and the reference page need. Refuses to know which options there are.
 */
import { z } from 'zod';
import {
  type BitRate,
  DURATION_TEXT,
  type Duration,
  parseBitRate,
  parseDuration,
  parseSize,
  RATE_TEXT,
  SIZE_TEXT,
  type Size,
} from './units.js';

/** What kind of value an option takes; a flag is parsed and a reference row is worded by it. */
export type OptionKind =
  | 'duration'
  | 'size'
  | 'rate'
  | 'count'
  | 'fraction'
  | 'boolean'
  | 'choice'
  | 'text'
  | 'list'
  | 'group';

/** What an option says about itself beside its zod schema. */
export interface OptionMeta {
  /** One or two sentences for the reference page, the help and the JSON Schema. */
  readonly description: string;
  /** The name of the flag without the dashes. Default: the option path in kebab-case; false: there is none. */
  readonly flag?: string | false;
  /** What the reference says for a default that depends on another option. */
  readonly defaultText?: string;
  /** What the value stands for in the help, such as `<host:port>`. */
  readonly placeholder?: string;
}

const UNIT: Partial<Record<OptionKind, string>> = { duration: 'ms', size: 'bytes', rate: 'bits per second' };

/** Puts the meta data of one option on its schema. Every option goes through here. */
export function described<Schema extends z.ZodType>(schema: Schema, kind: OptionKind, meta: OptionMeta): Schema {
  const { description, flag, defaultText, placeholder } = meta;
  return schema.meta({ description, option: { kind, unit: UNIT[kind], flag, defaultText, placeholder } }) as Schema;
}

interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

const DURATIONS = `milliseconds as a whole number, or text such as '500ms', '30s', '5m', '1h', '1d'`;
const SIZES = `bytes as a whole number, or text such as '512B', '64KiB', '1MiB', '16MB'`;

/** What a bit rate may be, for messages. */
export const RATES = `bits a second as a whole number, or text such as '500kbit', '10Mbit', '1Gbit'; 0 for no limit`;

// The cast narrows what editors offer; at run time any text with the right pattern is taken.
function durationValue({ min = 0 }: Bounds): z.ZodType<number, Duration> {
  const expected = `${DURATIONS}; ${min > 0 ? `at least ${min} ms and ` : ''}at most 24 days`;
  return quantity(DURATION_TEXT, parseDuration, min, expected) as z.ZodType<number, Duration>;
}

function sizeValue({ min = 0 }: Bounds): z.ZodType<number, Size> {
  const expected = `${SIZES}${min > 0 ? `; at least ${min}` : ''}`;
  return quantity(SIZE_TEXT, parseSize, min, expected) as z.ZodType<number, Size>;
}

function rateValue(): z.ZodType<number, BitRate> {
  return quantity(RATE_TEXT, parseBitRate, 0, RATES) as z.ZodType<number, BitRate>;
}

function quantity(pattern: RegExp, parse: (value: unknown) => number | undefined, min: number, expected: string) {
  const error = `expected ${expected}`;
  const whole = z.int({ error, abort: true }).min(min, { error, abort: true });
  const text = z.string({ error }).regex(pattern, { error, abort: true });
  return z.union([whole, text], { error }).transform((value, context) => {
    const parsed = parse(value);
    if (parsed !== undefined && parsed >= min) return parsed;
    context.addIssue({ code: 'custom', message: error, input: value });
    return z.NEVER;
  });
}

/** An option that is a duration; resolves to milliseconds. */
export function duration(meta: OptionMeta & Bounds & { readonly default: Duration }) {
  return described(durationValue(meta).prefault(meta.default), 'duration', meta);
}

/** A duration whose default depends on another option. */
export function optionalDuration(meta: OptionMeta & Bounds) {
  return described(durationValue(meta).optional(), 'duration', meta);
}

/** An option that is a size; resolves to bytes. */
export function size(meta: OptionMeta & Bounds & { readonly default: Size }) {
  return described(sizeValue(meta).prefault(meta.default), 'size', meta);
}

/** A size whose default depends on another option. */
export function optionalSize(meta: OptionMeta & Bounds) {
  return described(sizeValue(meta).optional(), 'size', meta);
}

/** An option that is a bit rate; resolves to bits a second. */
export function bitRate(meta: OptionMeta & { readonly default: BitRate }) {
  return described(rateValue().prefault(meta.default), 'rate', meta);
}

function countValue({ min = 0, max = 1_000_000_000 }: Bounds) {
  const error = `expected a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** An option that counts something. */
export function count(meta: OptionMeta & Bounds & { readonly default: number }) {
  return described(countValue(meta).default(meta.default), 'count', meta);
}

/** A count that may be left out. */
export function optionalCount(meta: OptionMeta & Bounds) {
  return described(countValue(meta).optional(), 'count', meta);
}

/** An option that is a share, from 0 to 1. */
export function fraction(meta: OptionMeta & { readonly default: number }) {
  const error = 'expected a number from 0 to 1';
  return described(z.number({ error }).min(0, { error }).max(1, { error }).default(meta.default), 'fraction', meta);
}

/** An option that is on or off. */
export function flag(meta: OptionMeta & { readonly default: boolean }) {
  return described(z.boolean({ error: 'expected true or false' }).default(meta.default), 'boolean', meta);
}

/** An option that is one of a few words; unless told otherwise, the first is the default. */
export function choice<const Words extends readonly [string, ...string[]]>(
  words: Words,
  meta: OptionMeta & { readonly default?: Words[number] },
) {
  const error = `expected ${words.map((word) => `'${word}'`).join(' or ')}`;
  // The default is of the enum's own type, which the compiler cannot see through the generic.
  const fallback = (meta.default ?? words[0]) as z.util.NoUndefined<Words[number]>;
  return described(z.enum(words, { error }).default(fallback), 'choice', meta);
}

/** An option that is text and may be left out. */
export function optionalText(meta: OptionMeta) {
  const error = 'expected text that is not empty';
  return described(z.string({ error }).min(1, { error }).optional(), 'text', meta);
}
