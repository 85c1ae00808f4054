/**
 * Owns what of messages is blotted out before they are written to a file: by rules, and by a function of the application. Refuses to
 * know frames.
 */
import { Buffer } from 'node:buffer';
import type { RedactionRule } from '../config/recording.js';
import { BLOT, type Sender } from './format.js';

/** A message that is about to be written to a recording. */
export interface RecordedPayload {
  /** The id of the connection. */
  readonly connection: string;
  /** Who sent it: the client, or the server and what is behind it. */
  readonly from: Sender;
  /** `control` is the payload of a ping, a pong or a Close frame; `bytes` a piece of what a plain TCP client sends or is sent. */
  readonly kind: 'text' | 'binary' | 'control' | 'bytes';
  readonly data: Buffer;
}

/**
 * Says what of a message is recorded: another payload, `undefined` for this one, `null` for none. Called for each message of a connection
 * that is recorded, before the rules of `recording.redact`. One that throws has its message left out.
 */
export type RedactHook = (payload: RecordedPayload) => string | Uint8Array | null | undefined;

/** What became of a payload. */
export type Redacted = { readonly data: Buffer; readonly changed: boolean } | 'withheld';

/** Blots out of messages what is not to be in a file. */
export class PayloadRedaction {
  /** A rule may match over two pieces of a stream of bytes without messages: then nothing of it is safe. */
  readonly #hasRules: boolean;
  readonly #patterns: readonly RegExp[];
  readonly #fields: ReadonlySet<string>;
  readonly #hook: RedactHook | undefined;
  readonly #failed: (error: unknown) => void;

  /** @param failed told of what the hook throws. */
  constructor(rules: readonly RedactionRule[], hook: RedactHook | undefined, failed: (error: unknown) => void) {
    this.#patterns = rules.flatMap(({ pattern }) => (pattern === undefined ? [] : new RegExp(pattern, 'g')));
    this.#fields = new Set(rules.flatMap(({ field }) => field?.toLowerCase() ?? []));
    this.#hook = hook;
    this.#failed = failed;
    this.#hasRules = rules.length > 0;
  }

  /** Whether messages have to be seen whole. */
  get isNeeded(): boolean {
    return this.#hook !== undefined || this.#patterns.length > 0 || this.#fields.size > 0;
  }

  /** Blots what the patterns match out of a text that is no message. */
  readonly blot = (text: string): string => {
    let result = text;
    for (const pattern of this.#patterns) result = result.replace(pattern, BLOT);
    return result;
  };

  redact(payload: RecordedPayload): Redacted {
    let given: ReturnType<RedactHook>;
    try {
      given = this.#hook?.(payload);
    } catch (error) {
      this.#failed(error);
      return 'withheld';
    }
    if (given === null || (payload.kind === 'bytes' && this.#hasRules)) return 'withheld';
    if (given !== undefined && typeof given !== 'string' && !(given instanceof Uint8Array)) {
      this.#failed(new TypeError(`redact() gave ${typeof given}; expected text, bytes, null or undefined`));
      return 'withheld';
    }
    const data = given === undefined ? payload.data : Buffer.from(given as string);
    const ruled = payload.kind === 'text' ? this.#text(data) : this.#bytes(data);
    return { data: ruled, changed: given !== undefined || ruled !== data };
  }

  #text(data: Buffer): Buffer {
    const text = data.toString();
    const blotted = this.blot(this.#fields.size === 0 ? text : this.#json(text));
    return blotted === text ? data : Buffer.from(blotted);
  }

  /** Patterns are about characters, and most are ASCII. */
  #bytes(data: Buffer): Buffer {
    const text = data.toString('latin1');
    const blotted = this.blot(text);
    return blotted === text ? data : Buffer.from(blotted, 'latin1');
  }

  #json(text: string): string {
    if (!/^\s*[[{]/.test(text)) return text;
    let found = false;
    try {
      const value: unknown = JSON.parse(text, (key, inner: unknown) => {
        if (!this.#fields.has(key.toLowerCase())) return inner;
        found = true;
        return BLOT;
      });
      return found ? JSON.stringify(value) : text;
    } catch {
      return text;
    }
  }
}
