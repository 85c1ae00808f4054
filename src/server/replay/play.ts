/**
 * Owns playing one side of a recording to the other: each message when its time has come, and not before what was said before it has
 * come. Refuses to connect. Every wait has an end.
 */
import { Buffer } from 'node:buffer';
import type { Sender } from '../recording/format.js';
import type { Recording } from '../recording/read-recording.js';
import { type RecordedMessage, recordedMessages } from '../recording/recorded-messages.js';
import type { CameMessage, ReplayPeer } from './replay-peer.js';

/** How a recording is played. */
export interface ReplayOptions {
  /** How much faster than it was; `max` waits for nothing but what was said before. Default 1. */
  readonly speed?: number | 'max' | undefined;
  /** Whether what comes is compared with what came then: it stops at the first difference. Default false. */
  readonly expect?: boolean | undefined;
  /** Milliseconds until what was said then, and is not said now, is not waited for any more; also for connecting, and for the end. Default 10 000. */
  readonly timeout?: number | undefined;
  /** Ends it early. */
  readonly signal?: AbortSignal | undefined;
}

/** Where what came is another than what came then. */
export interface ReplayDifference {
  /** Which message of the other side, from 1. */
  readonly message: number;
  /** Milliseconds in the recording. */
  readonly t: number;
  readonly expected: string;
  readonly got: string;
}

/** What became of it. */
export interface ReplayReport {
  /** Messages that were sent. */
  readonly sent: number;
  /** Messages that could not be, since they are not whole in the recording. */
  readonly skipped: number;
  /** Messages that were sent with something blotted out. */
  readonly redacted: number;
  /** Messages that came. */
  readonly received: number;
  /** Messages that came then. */
  readonly expected: number;
  /** The first difference; undefined for none, or when none was looked for. */
  readonly difference: ReplayDifference | undefined;
  /** How the other side ended; undefined when we did. */
  readonly ended: { readonly code: number; readonly reason: string } | undefined;
  readonly durationMs: number;
}

const DEFAULT_TIMEOUT = 10_000;

/** How much of a message is shown. */
const SHOWN = 120;

/** Plays what one side said. */
export async function play(
  peer: ReplayPeer,
  recording: Recording,
  role: Sender,
  options: ReplayOptions = {},
): Promise<ReplayReport> {
  return await new Play(peer, recording, role, options).run();
}

class Play {
  readonly #peer: ReplayPeer;
  readonly #role: Sender;
  readonly #options: ReplayOptions;
  readonly #timeout: number;
  readonly #messages: readonly RecordedMessage[];
  /** What the other side said, as far as it has been played. */
  readonly #expected: RecordedMessage[] = [];
  #compared = 0;
  #sent = 0;
  #skipped = 0;
  #redacted = 0;
  #difference: ReplayDifference | undefined;
  /** It was waited for in vain once: the other side says less. */
  #gaveUp = false;

  constructor(peer: ReplayPeer, recording: Recording, role: Sender, options: ReplayOptions) {
    this.#peer = peer;
    this.#role = role;
    this.#options = options;
    this.#timeout = options.timeout ?? DEFAULT_TIMEOUT;
    this.#messages = recordedMessages(recording);
  }

  async run(): Promise<ReplayReport> {
    const began = performance.now();
    let before = this.#messages[0]?.t ?? 0;
    let closed = false;
    for (const message of this.#messages) {
      if (this.#difference !== undefined || this.#options.signal?.aborted === true) break;
      if (message.from === this.#role) {
        await this.#hear();
        await this.#wait(message.t - before);
        if (this.#difference === undefined) this.#say(message);
        closed ||= message.kind === 'close';
      } else if (isData(message)) {
        this.#expected.push(message);
      }
      before = message.t;
    }
    await this.#hear();
    await this.#end(closed);
    return this.#report(performance.now() - began);
  }

  #say(message: RecordedMessage): void {
    const { flaw, kind } = message;
    if (flaw !== undefined && flaw !== 'redacted') {
      this.#skipped += 1;
      return;
    }
    if (flaw === 'redacted') this.#redacted += 1;
    if (kind === 'pong') return;
    this.#peer.say(message);
    if (isData(message)) this.#sent += 1;
  }

  /** Waits for what was said up to here. */
  async #hear(): Promise<void> {
    const all = () => this.#heard() >= this.#wanted();
    if (!this.#gaveUp && !(await this.#peer.until(all, this.#timeout, this.#options.signal))) {
      this.#gaveUp = true;
    }
    this.#compare();
  }

  #heard(): number {
    return this.#isStream ? (this.#peer.came[0]?.data.length ?? 0) : this.#peer.came.length;
  }

  #wanted(): number {
    return this.#isStream ? this.#expected.reduce((sum, { data }) => sum + data.length, 0) : this.#expected.length;
  }

  get #isStream(): boolean {
    return this.#expected[0]?.kind === 'bytes';
  }

  async #wait(milliseconds: number): Promise<void> {
    const { speed = 1, signal } = this.#options;
    if (speed === 'max' || milliseconds <= 0) return;
    await this.#peer.until(() => false, milliseconds / speed, signal);
  }

  #compare(): void {
    if (this.#options.expect !== true) return;
    if (this.#isStream) {
      this.#compareStream();
      return;
    }
    while (this.#difference === undefined && this.#compared < this.#expected.length) {
      const expected = this.#expected[this.#compared]!;
      const got = this.#peer.came[this.#compared];
      this.#compared += 1;
      if (!isSame(expected, got)) this.#differ(this.#compared, expected.t, shown(expected), shown(got));
    }
  }

  #compareStream(): void {
    const expected = Buffer.concat(this.#expected.map(({ data }) => data));
    const got = (this.#peer.came[0]?.data ?? Buffer.alloc(0)).subarray(0, expected.length);
    const isFlawed = this.#expected.some(({ flaw }) => flaw !== undefined);
    if (isFlawed || got.equals(expected)) return;
    const at = [...expected].findIndex((byte, index) => byte !== got[index]);
    const { t } = this.#expected[0]!;
    this.#differ(1, t, `from byte ${at}: ${quoted(expected.subarray(at))}`, quoted(got.subarray(at)));
  }

  async #end(closed: boolean): Promise<void> {
    const { signal } = this.#options;
    if (this.#difference === undefined && this.#options.expect === true) this.#findMore();
    if (this.#difference !== undefined || signal?.aborted === true) {
      this.#peer.terminate();
      return;
    }
    const otherClosed = this.#messages.some(({ kind, from }) => kind === 'close' && from !== this.#role);
    // Whoever began to close then is who begins now.
    if (!closed && otherClosed) await this.#peer.until(() => this.#peer.ended !== undefined, this.#timeout, signal);
    if (this.#peer.ended === undefined && !closed) this.#peer.finish();
    if (!(await this.#peer.until(() => this.#peer.ended !== undefined, this.#timeout, signal))) this.#peer.terminate();
    if (this.#options.expect === true) this.#findMore();
  }

  /** What came beyond what came then. */
  #findMore(): void {
    if (this.#isStream || this.#difference !== undefined) return;
    const got = this.#peer.came[this.#expected.length];
    if (got !== undefined)
      this.#differ(this.#expected.length + 1, this.#messages.at(-1)?.t ?? 0, 'nothing more', shown(got));
  }

  #differ(message: number, t: number, expected: string, got: string): void {
    this.#difference = { message, t, expected, got };
  }

  #report(durationMs: number): ReplayReport {
    const expected = this.#messages.filter((message) => message.from !== this.#role && isData(message)).length;
    return {
      sent: this.#sent,
      skipped: this.#skipped,
      redacted: this.#redacted,
      received: this.#peer.came.length,
      expected,
      difference: this.#difference,
      ended: this.#peer.ended,
      durationMs: Math.round(durationMs),
    };
  }
}

function isData({ kind }: RecordedMessage): boolean {
  return kind === 'text' || kind === 'binary' || kind === 'bytes';
}

/** What is not known as it was is like anything of its kind. */
function isSame(expected: RecordedMessage, got: CameMessage | undefined): boolean {
  if (got === undefined || got.kind !== expected.kind) return false;
  return expected.flaw !== undefined || expected.data.equals(got.data);
}

function shown(message: (Pick<CameMessage, 'data'> & { readonly kind: string }) | undefined): string {
  return message === undefined ? 'nothing' : `${message.kind} ${quoted(message.data)}`;
}

/** With every control character written out, so that it can be shown on a terminal. */
function quoted(data: Buffer): string {
  const text = JSON.stringify(data.subarray(0, SHOWN).toString());
  const safe = text.replace(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufffd]/g, '.');
  return data.length > SHOWN ? `${safe} and ${data.length - SHOWN} bytes more` : safe;
}
