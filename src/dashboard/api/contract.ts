/**
 * Owns what the page reads in the answers of the admin API: docs/reference/admin-api.md describes them whole. Refuses to share types with
 * the server: the page knows it by HTTP only.
 */

/** Messages and payload bytes of one direction. */
export interface Traffic {
  readonly messages: number;
  readonly bytes: number;
}

/** The value of a chart: a state, or regions and nested states by name. */
export type ChartValue = string | { readonly [state: string]: ChartValue | undefined };

/** One server behind this admin API. */
export interface ServerInfo {
  readonly name: string;
  readonly kind: 'proxy' | 'receiver' | 'balancer';
  readonly state: string;
  readonly addresses: readonly string[];
}

/** How many connections ended for one reason. */
export interface CloseCount {
  readonly initiator: string;
  readonly cause: string;
  readonly status: number;
  readonly count: number;
}

/** The process of the servers; delays in milliseconds. */
export interface ProcessInfo {
  readonly pid: number;
  readonly version: string;
  readonly node: string;
  readonly uptimeMs: number;
  readonly rss: number;
  readonly heapUsed: number;
  readonly eventLoopDelay?: { readonly mean: number; readonly p99: number; readonly max: number } | undefined;
}

/** A server in numbers. */
export interface Stats {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly kind: ServerInfo['kind'];
  readonly state: string;
  readonly chart?: ChartValue | undefined;
  readonly connections: number;
  readonly states: Readonly<Record<string, number>>;
  readonly heldBytes: number;
  readonly opened: number;
  readonly closed: number;
  readonly received: Traffic;
  readonly sent: Traffic;
  readonly closes: readonly CloseCount[];
  readonly process?: ProcessInfo | undefined;
}

/** One connection in a list. */
export interface ConnectionRow {
  readonly id: string;
  readonly state: string;
  readonly chart?: ChartValue | undefined;
  readonly path: string;
  readonly target?: string | undefined;
  readonly dataPath?: string | undefined;
  readonly subprotocol: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly channels: readonly string[];
  readonly user?: string | undefined;
  readonly openedAt?: string | undefined;
  readonly received: Traffic;
  readonly sent: Traffic;
  readonly bufferedBytes: number;
  readonly throttled?: boolean | undefined;
  readonly roundTripMs?: number | undefined;
  readonly upstreamRoundTripMs?: number | undefined;
  /** Whether it is the control channel of a backend, which is no client. */
  readonly control?: boolean | undefined;
  readonly tags?: readonly string[] | undefined;
}

/** A page of connections. */
export interface ConnectionPage {
  readonly connections: readonly ConnectionRow[];
  readonly matched?: number | undefined;
  /** Where the next page begins; none on the last one. */
  readonly next?: string | null | undefined;
}

/** One step of a chart. */
export interface HistoryEntry {
  readonly at: number;
  readonly side: string;
  readonly event: string;
  readonly value: ChartValue;
}

/** What is known of the end of a connection. */
export interface CloseReport {
  readonly initiator: string;
  readonly cause: string;
  readonly status: number;
  readonly reason: string;
  readonly codeSent?: number | undefined;
  readonly codeReceived?: number | undefined;
  readonly received: Traffic;
  readonly sent: Traffic;
  readonly durationMs: number;
  readonly undeliveredBytes: number;
}

/** Where one region of the charts of a connection is, in words. */
export interface ExplainedState {
  readonly state: string;
  readonly words: string;
  /** Milliseconds since the epoch. */
  readonly since?: number | undefined;
  /** What would make it move on. */
  readonly next: string;
  readonly deadline?: { readonly option: string; readonly at: number; readonly effect: string } | undefined;
}

/** Why a connection is where it is, in words. */
export interface Explanation {
  /** When that was. */
  readonly at: number;
  readonly summary: string;
  readonly facts: readonly ExplainedState[];
  readonly history: readonly {
    readonly at: number;
    readonly side: string;
    readonly event: string;
    readonly text: string;
  }[];
  /** All of it, in lines. */
  readonly text: string;
}

/** How a handshake was refused. */
export interface Refusal {
  readonly status: number;
  readonly error: string;
  readonly message: string;
}

/** Everything about one connection; of one that is over, what is still known. */
export interface ConnectionDetail extends Partial<ConnectionRow> {
  readonly id: string;
  readonly state: string;
  readonly history?: readonly HistoryEntry[] | undefined;
  readonly upstream?:
    | { readonly chart?: ChartValue | undefined; readonly bufferedBytes?: number | undefined }
    | undefined;
  readonly waterMarks?: { readonly high: number; readonly low: number } | undefined;
  /** Bits a second. */
  readonly rates?: unknown;
  readonly explanation?: Explanation | undefined;
  readonly closeReport?: CloseReport | undefined;
  readonly refusal?: Refusal | undefined;
}

/** One backend of a balancer. */
export interface BackendInfo {
  readonly id: string;
  readonly url: string;
  readonly weight: number;
  readonly capacity: number;
  readonly tags: readonly string[];
  readonly source: string;
  readonly state: string;
  readonly chart: ChartValue;
  readonly health?: string | undefined;
  readonly load: number;
  readonly pairs: number;
  readonly draining?: string | undefined;
  readonly drainingUntil?: string | undefined;
  readonly lastCheck?: { readonly passed: boolean; readonly latency: number; readonly reason?: string } | undefined;
  readonly failures: number;
  readonly ejections: number;
}

/** The backends of a balancer together. */
export interface PoolInfo {
  readonly state: string;
  readonly backends: number;
  readonly available: number;
  readonly draining: number;
  readonly unhealthy: number;
  readonly load: number;
  readonly waiting: number;
}
