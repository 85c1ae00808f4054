/**
 * Owns how values are said: numbers, sizes, times, and text that strangers chose, of which everything is shown that could hide, turn
 * round or break what stands beside it. Refuses to put them anywhere.
 */

// Control characters, marks that turn the direction of text, what has no width, and halves of characters.
const HIDDEN =
  /[\p{Cc}\p{Zl}\p{Zp}\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Cs}/gu;

/** More than two marks above a letter pile up over the lines beside it. */
const PILED = /(\p{M}{2})\p{M}+/gu;

/** Text of a stranger as it can be shown: what is not to be seen by itself as `\u{202e}`, and at most `limit` characters. */
export function printable(text: string, limit = 200): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return cut.replace(HIDDEN, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`).replace(PILED, '$1…');
}

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const FINE = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const SHORT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** Such as `12,345`; a number below 10 with one digit behind the point, if it needs one. */
export function count(value: number): string {
  return (Math.abs(value) < 10 ? FINE : WHOLE).format(value);
}

/** Such as `12.3K`, where there is little room. */
export function shortCount(value: number): string {
  return (value < 10_000 ? WHOLE : SHORT).format(value);
}

const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Such as `1.5 MiB`. */
export function bytes(value: number): string {
  let size = value;
  let unit = 0;
  while (size >= 1024 && unit < SIZES.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${(size < 100 && unit > 0 ? FINE : WHOLE).format(size)} ${SIZES[unit]}`;
}

/** Such as `3 h 12 min`, `12.3 s`, `4.5 ms`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${FINE.format(Math.max(0, ms))} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${FINE.format(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const CLOCK = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

/** The time of day, with milliseconds. */
export function clockTime(at: number): string {
  return `${CLOCK.format(at)}.${String(Math.floor(at) % 1000).padStart(3, '0')}`;
}

/** Such as `3 connections`. */
export function counted(number: number, one: string, many = `${one}s`): string {
  return `${WHOLE.format(number)} ${number === 1 ? one : many}`;
}
