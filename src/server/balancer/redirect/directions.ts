/** Owns the words in which a client is told where to go, or to come back: JSON, the same over HTTP and WebSocket. Refuses to decide which. */
import { type HeaderFields, httpStatusOf } from '../../../receivers/index.js';
import type { Direction, NoDirection } from './directory.js';

/** An answer over HTTP. */
export interface DirectionAnswer {
  readonly status: number;
  readonly headers: HeaderFields;
  readonly body: string;
}

/** Such as `{"url":"wss://…"}`, or `{"error":"NO_BACKEND","retryAfterMs":6120}`. */
export function directionText(found: Direction | NoDirection): string {
  if ('url' in found) return JSON.stringify({ url: found.url });
  return JSON.stringify({ error: found.error, retryAfterMs: found.retryAfterMs });
}

/** The same as an answer over HTTP, that nobody may keep. */
export function directionAnswer(found: Direction | NoDirection, status = 200): DirectionAnswer {
  const headers: Record<string, string | readonly string[]> = {
    'Cache-Control': 'no-store',
    'Content-Type': 'application/json',
  };
  const body = `${directionText(found)}\n`;
  if ('url' in found) return { status, headers: { ...headers, ...found.headers }, body };
  headers['Retry-After'] = String(Math.ceil(found.retryAfterMs / 1000));
  return { status: httpStatusOf(found.error), headers, body };
}
