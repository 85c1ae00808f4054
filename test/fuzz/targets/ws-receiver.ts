/** Owns the reader of frames in `ws` as an oracle: what it makes of bytes. Refuses to compare. */
import { createRequire } from 'node:module';

/** What a reader of messages told of, in order, in a form that can be compared. */
export type Told = string[];

/** What an oracle made of a stream: what it told of, and the close code of the rule that was broken, if one was. */
export interface Reading {
  readonly told: Told;
  readonly code: number | undefined;
}

/** Says a message, ping or pong the same way for each reader. */
export function said(kind: string, data: Uint8Array): string {
  return `${kind} ${Buffer.from(data).toString('latin1')}`;
}

interface Receiver {
  on(event: string, listener: (...values: never[]) => void): unknown;
  createError(...values: unknown[]): Error;
  _write(chunk: Buffer, encoding: string, callback: (error?: Error) => void): void;
}

const { Receiver } = createRequire(import.meta.url)('ws') as {
  Receiver: new (options: { isServer: boolean; maxPayload: number }) => Receiver;
};

/** Reads frames as `ws` does, at once: not through the stream that it is, which tells of errors a turn later. */
export class WsReader {
  readonly told: Told = [];
  code: number | undefined;
  #over = false;
  readonly #receiver: Receiver;

  constructor(options: { readonly masked: boolean; readonly maxMessageBytes: number }) {
    this.#receiver = new Receiver({ isServer: options.masked, maxPayload: options.maxMessageBytes });
    this.#receiver.on('message', (data: Buffer, isBinary: boolean) =>
      this.told.push(said(isBinary ? 'binary' : 'text', data)),
    );
    this.#receiver.on('ping', (data: Buffer) => this.told.push(said('ping', data)));
    this.#receiver.on('pong', (data: Buffer) => this.told.push(said('pong', data)));
    this.#receiver.on('conclude', (code: number, reason: Buffer) => {
      this.#over = true;
      this.told.push(said(`close ${code}`, reason));
    });
    this.#receiver.on('error', () => {});
    const createError = this.#receiver.createError.bind(this.#receiver);
    this.#receiver.createError = (...values) => {
      this.#over = true;
      this.code = values[3] as number;
      return createError(...values);
    };
  }

  read(chunk: Buffer): void {
    if (!this.#over) this.#receiver._write(Buffer.from(chunk), '', () => {});
  }
}
