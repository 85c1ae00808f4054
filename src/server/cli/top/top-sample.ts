/** Owns what `tidegate top` knows at one moment: the totals and the connections as the admin API tells them, and how fast they go. */
import type { AdminClient } from '../admin/admin-client.js';

/** How connections can be ordered, as the admin API calls it. */
export const SORTS = ['bytes', 'messages', 'bufferedBytes', 'roundTripMs', 'openedAt'] as const;

export type TopSort = (typeof SORTS)[number];

interface Traffic {
  readonly messages: number;
  readonly bytes: number;
}

/** What is used of a connection in a list; a server of another version may leave something out. */
export interface TopRow {
  readonly id: string;
  readonly state: string;
  readonly chart?: unknown;
  readonly target?: string;
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  readonly user?: string;
  readonly openedAt?: string;
  readonly received: Traffic;
  readonly sent: Traffic;
  readonly bufferedBytes?: number;
  readonly roundTripMs?: number;
  readonly upstream?: { readonly chart?: unknown; readonly bufferedBytes?: number };
}

/** What is used of the numbers of a server. */
export interface TopStats {
  readonly kind: string;
  readonly state: string;
  readonly connections: number;
  readonly opened: number;
  readonly closed: number;
  readonly states: Readonly<Record<string, number>>;
  readonly heldBytes: number;
  readonly received: Traffic;
  readonly sent: Traffic;
  readonly process?: { readonly rss?: number; readonly eventLoopDelay?: { readonly p99?: number } };
}

/** Bytes and messages a second, both ways. */
export interface Rate {
  readonly received: Traffic;
  readonly sent: Traffic;
}

/** One look. */
export interface TopSample {
  /** Milliseconds since the epoch, by the clock of whoever looks. */
  readonly at: number;
  readonly stats: TopStats;
  /** Undefined for the first look. */
  readonly rate: Rate | undefined;
  readonly rows: readonly { readonly row: TopRow; readonly rate: Rate | undefined }[];
  readonly matched: number;
}

interface Counted {
  readonly received: Traffic;
  readonly sent: Traffic;
}

/** Looks again and again, and remembers the look before. */
export class TopSampler {
  readonly #client: AdminClient;
  #at = 0;
  #stats: Counted | undefined;
  #rows: ReadonlyMap<string, Counted> = new Map();

  constructor(client: AdminClient) {
    this.#client = client;
  }

  /** @throws TidegateError as {@link AdminClient.get} does. */
  async look(sort: TopSort, limit: number): Promise<TopSample> {
    const query = { sort, limit: String(Math.min(1000, Math.max(1, limit))) };
    const [stats, list] = await Promise.all([
      this.#client.get('/api/v1/stats') as Promise<TopStats>,
      this.#client.get('/api/v1/connections', query) as Promise<{ connections: TopRow[]; matched?: number }>,
    ]);
    const at = Date.now();
    const seconds = (at - this.#at) / 1000;
    const rows = list.connections.map((row) => ({ row, rate: rateOf(row, this.#rows.get(row.id), seconds) }));
    const sample = { at, stats, rate: rateOf(stats, this.#stats, seconds), rows, matched: list.matched ?? rows.length };
    this.#at = at;
    this.#stats = stats;
    this.#rows = new Map(list.connections.map((row) => [row.id, row]));
    return sample;
  }
}

function rateOf(now: Counted, before: Counted | undefined, seconds: number): Rate | undefined {
  if (before === undefined || seconds <= 0) return undefined;
  return { received: perSecond(now.received, before.received), sent: perSecond(now.sent, before.sent) };

  // A server that was started anew begins to count anew.
  function perSecond(one: Traffic, other: Traffic): Traffic {
    const per = (count: number) => Math.max(0, count) / seconds;
    return { messages: per(one.messages - other.messages), bytes: per(one.bytes - other.bytes) };
  }
}
