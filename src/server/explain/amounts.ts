/** Owns how times, spans and amounts are written for people. Refuses to measure them. */
import type { Traffic } from '../../receivers/index.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A span in the two largest units that matter, such as `850 ms`, `3.2 s`, `2 min 5 s`, `3 h 12 min`, `2 d 4 h`. */
export function duration(milliseconds: number): string {
  const span = Math.max(0, milliseconds);
  if (span < SECOND) return `${Math.round(span)} ms`;
  if (span < 10 * SECOND) return `${(Math.floor(span / 100) / 10).toFixed(1)} s`;
  if (span < MINUTE) return `${Math.floor(span / SECOND)} s`;
  if (span < HOUR) return `${Math.floor(span / MINUTE)} min ${Math.floor((span % MINUTE) / SECOND)} s`;
  if (span < DAY) return `${Math.floor(span / HOUR)} h ${Math.floor((span % HOUR) / MINUTE)} min`;
  return `${Math.floor(span / DAY)} d ${Math.floor((span % DAY) / HOUR)} h`;
}

/** A time of the day in UTC, such as `14:03:22.120`. */
export function timeOfDay(at: number): string {
  return new Date(at).toISOString().slice(11, 23);
}

/** A time in UTC, with its day where that is not the one of `now`. */
export function time(at: number, now: number): string {
  const text = new Date(at).toISOString();
  const isToday = text.slice(0, 10) === new Date(now).toISOString().slice(0, 10);
  return isToday ? timeOfDay(at) : `${text.slice(0, 10)} ${timeOfDay(at)}`;
}

/** How far away a time is: `in 40 s`, `3 s ago`, or `now`. */
export function distance(at: number, now: number): string {
  if (at === now) return 'now';
  return at > now ? `in ${duration(at - now)}` : `${duration(now - at)} ago`;
}

/** Such as `3 messages, 120 bytes`. */
export function traffic({ messages, bytes }: Traffic): string {
  return `${messages} message${messages === 1 ? '' : 's'}, ${bytes} byte${bytes === 1 ? '' : 's'}`;
}
