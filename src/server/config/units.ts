/** Owns how durations, sizes and bit rates are written by people: text to milliseconds, bytes or bits a second. Refuses to know options. */

const DURATION_UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SIZE_UNITS = {
  B: 1,
  KB: 1e3,
  KiB: 1024,
  MB: 1e6,
  MiB: 1024 ** 2,
  GB: 1e9,
  GiB: 1024 ** 3,
} as const;
const RATE_UNITS = { bit: 1, kbit: 1e3, Mbit: 1e6, Gbit: 1e9 } as const;

/** A duration as an option takes it: milliseconds, or text such as `'500ms'`, `'30s'`, `'5m'`, `'1h'`, `'1d'`. */
export type Duration = number | `${number}${keyof typeof DURATION_UNITS}`;

/** A size as an option takes it: bytes, or text such as `'64KiB'`, `'1MiB'`, `'16MB'`. */
export type Size = number | `${number}${keyof typeof SIZE_UNITS}`;

/** A bit rate as an option takes it: bits a second, or text such as `'500kbit'`, `'10Mbit'`, `'1Gbit'`. */
export type BitRate = number | `${number}${keyof typeof RATE_UNITS}`;

/** The longest duration: what a timer of Node.js can wait, a little under 25 days. */
export const MAX_DURATION_MS = 2_147_483_647;

/** The text of a duration; a bare number counts milliseconds, because flags and environment variables are always text. */
export const DURATION_TEXT = /^\s*(\d{1,15}(?:\.\d{1,9})?)\s*(ms|[smhdSMHD])?\s*$/;

/** The text of a size; the letters may have any case, and a bare number counts bytes. */
export const SIZE_TEXT = /^\s*(\d{1,16}(?:\.\d{1,9})?)\s*([KkMmGg][Ii]?[Bb]|[Bb])?\s*$/;

/** The text of a bit rate: `10Mbit`, `10 Mbit/s` or `10Mbps`; the letters may have any case, and a bare number counts bits a second. */
export const RATE_TEXT = /^\s*(\d{1,15}(?:\.\d{1,9})?)\s*(?:([KkMmGg])?(?:[Bb][Ii][Tt](?:\/[Ss])?|[Bb][Pp][Ss]))?\s*$/;

const SIZE_BY_NAME = new Map(Object.entries(SIZE_UNITS).map(([name, bytes]) => [name.toLowerCase(), bytes]));

/** Reads a duration. Answers undefined for anything that is not a whole number of milliseconds up to {@link MAX_DURATION_MS}. */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === 'number') return within(value, MAX_DURATION_MS);
  const match = typeof value === 'string' ? DURATION_TEXT.exec(value) : null;
  if (match === null) return undefined;
  const unit = (match[2] ?? 'ms').toLowerCase() as keyof typeof DURATION_UNITS;
  return within(round(Number(match[1]) * DURATION_UNITS[unit]), MAX_DURATION_MS);
}

/** Reads a size. Answers undefined for anything that is not a whole number of bytes. */
export function parseSize(value: unknown): number | undefined {
  if (typeof value === 'number') return within(value, Number.MAX_SAFE_INTEGER);
  const match = typeof value === 'string' ? SIZE_TEXT.exec(value) : null;
  if (match === null) return undefined;
  const unit = SIZE_BY_NAME.get((match[2] ?? 'B').toLowerCase()) ?? 1;
  return within(round(Number(match[1]) * unit), Number.MAX_SAFE_INTEGER);
}

/** Reads a bit rate. Answers undefined for anything that is not a whole number of bits a second. */
export function parseBitRate(value: unknown): number | undefined {
  if (typeof value === 'number') return within(value, Number.MAX_SAFE_INTEGER);
  const match = typeof value === 'string' ? RATE_TEXT.exec(value) : null;
  if (match === null) return undefined;
  const factor = { k: RATE_UNITS.kbit, m: RATE_UNITS.Mbit, g: RATE_UNITS.Gbit }[match[2]?.toLowerCase() ?? ''] ?? 1;
  return within(round(Number(match[1]) * factor), Number.MAX_SAFE_INTEGER);
}

// 1.1s times 1000 is 1100.0000000000002 in binary floating point: the noise is removed, half a millisecond is not.
function round(value: number): number {
  const nearest = Math.round(value);
  return Math.abs(value - nearest) < 1e-6 ? nearest : value;
}

function within(value: number, max: number): number | undefined {
  return Number.isInteger(value) && value >= 0 && value <= max ? value : undefined;
}
