/**
 * Owns writing the lines of one recording to its files, behind whoever records: what waits is bounded, and what cannot be written ends
 * the recording and nothing else. Refuses to know what the lines say.
 */
import { Buffer } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import { TidegateError } from '../../receivers/index.js';
import type { RecordingFolder } from './recording-folder.js';

/** What a file is written by. */
export interface RecordingFileOptions {
  readonly folder: RecordingFolder;
  /** Of the recording; each file has its number behind it. */
  readonly name: string;
  readonly maxFileBytes: number;
  readonly bufferBytes: number;
  /** The last line of a file that is full, and the first of the next one. */
  turn(nextPart: number): { readonly last: string; readonly first: string };
  /** Called once when nothing can be written any more. */
  failed(error: TidegateError): void;
}

/** Here one file ends and the next one begins. */
const TURN = Symbol('turn');

/** What is written at once, at most. */
const BATCH_BYTES = 256 * 1024;

/** How often it is looked whether the file is still there, in milliseconds. */
const LOOK_EVERY = 1000;

/** The files of one recording. */
export class RecordingFile {
  /** Why nothing can be written any more; undefined while it can. */
  failure: TidegateError | undefined;
  readonly #options: RecordingFileOptions;
  #pending: (string | typeof TURN)[] = [];
  #pendingBytes = 0;
  /** Of the file that lines are added to. */
  #part = 1;
  #partBytes = 0;
  /** Of the file that is written. */
  #openPart = 0;
  #handle: FileHandle | undefined;
  #looked = 0;
  #state: 'open' | 'ending' | 'failed' = 'open';
  #pump: Promise<void> | undefined;

  constructor(options: RecordingFileOptions) {
    this.#options = options;
  }

  /** The name of the file that lines are added to. */
  get name(): string {
    return this.#options.folder.partName(this.#options.name, this.#part);
  }

  /** As much waits as may. */
  get full(): boolean {
    return this.#pendingBytes >= this.#options.bufferBytes || this.#state !== 'open';
  }

  /** More than that waits: not even a few lines have room. */
  get overfull(): boolean {
    return this.#pendingBytes >= 2 * this.#options.bufferBytes || this.#state !== 'open';
  }

  /** Adds a line. Never waits. */
  add(line: string): void {
    if (this.#state !== 'open') return;
    const bytes = Buffer.byteLength(line);
    if (this.#partBytes > 0 && this.#partBytes + bytes > this.#options.maxFileBytes) this.#turn();
    this.#put(line, bytes);
  }

  /** Writes what waits, and closes the file. Resolves when that is done, or has failed. */
  async end(): Promise<void> {
    if (this.#state === 'open') this.#state = 'ending';
    await this.#pump;
    await this.#look(0).catch((error: unknown) => this.#fail(error));
    await this.#close();
  }

  #turn(): void {
    const { last, first } = this.#options.turn(this.#part + 1);
    this.#put(last, Buffer.byteLength(last));
    this.#pending.push(TURN);
    this.#part += 1;
    this.#partBytes = 0;
    this.#put(first, Buffer.byteLength(first));
  }

  #put(line: string, bytes: number): void {
    this.#pending.push(line);
    this.#pendingBytes += bytes;
    this.#partBytes += bytes;
    this.#pump ??= this.#write();
  }

  async #write(): Promise<void> {
    try {
      if (this.#handle === undefined) await this.#open();
      while (this.#pending.length > 0) {
        if (this.#pending[0] === TURN) {
          this.#pending.shift();
          await this.#close();
          await this.#open();
        } else {
          await this.#writeBatch();
        }
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#pump = undefined;
    }
  }

  async #open(): Promise<void> {
    this.#openPart += 1;
    this.#handle = await this.#options.folder.create(this.#openName);
    this.#looked = performance.now();
  }

  get #openName(): string {
    return this.#options.folder.partName(this.#options.name, this.#openPart);
  }

  async #writeBatch(): Promise<void> {
    let text = '';
    let count = 0;
    for (const line of this.#pending) {
      if (line === TURN || text.length > BATCH_BYTES) break;
      text += line;
      count += 1;
    }
    this.#pending.splice(0, count);
    const bytes = Buffer.from(text);
    await this.#handle?.appendFile(bytes);
    this.#pendingBytes -= bytes.length;
    await this.#look();
  }

  /** A file that was removed is written to without an error, and its space is gone until it is closed. */
  async #look(every = LOOK_EVERY): Promise<void> {
    const now = performance.now();
    if (now - this.#looked < every) return;
    this.#looked = now;
    const { nlink } = (await this.#handle?.stat()) ?? {};
    if (nlink === 0) throw new Error('the file was removed');
  }

  async #close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    if (handle === undefined) return;
    await handle.close().catch(() => {});
    this.#options.folder.closed(this.#openName);
  }

  #fail(error: unknown): void {
    this.#state = 'failed';
    this.#pending = [];
    this.#pendingBytes = 0;
    const why = error instanceof Error ? error.message : String(error);
    const message = `the recording ${JSON.stringify(this.#openName)} has ended: ${why}`;
    this.failure = new TidegateError('RECORDING_FAILED', message, { cause: error });
    this.#options.failed(this.failure);
    void this.#close();
  }
}
