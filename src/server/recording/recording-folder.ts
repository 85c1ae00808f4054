/**
 * Owns the folder of recordings: which files in it are recordings, how many there may be, and reading and removing them by name. Refuses
 * every name that is none of a recording, so that no other file is ever touched.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TidegateError } from '../../receivers/index.js';
import { RECORDING_SUFFIX } from './format.js';

/** A file of a recording, as it is listed. */
export interface RecordingFileInfo {
  readonly name: string;
  readonly bytes: number;
  /** When it was written to last, in ISO 8601. */
  readonly modifiedAt: string;
  /** It is still written to. */
  readonly active: boolean;
}

/** `20261121T234205123Z-conn-1-3f9a2c.1.tidegate.ndjson`: sorted by name they are sorted by time. */
const NAME = /^\d{8}T\d{9}Z-[A-Za-z0-9_-]{1,80}-[0-9a-f]{6}\.\d{1,6}\.tidegate\.ndjson$/;

/** Read and write for the owner, and nothing for anybody else. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** One folder. */
export class RecordingFolder {
  readonly directory: string;
  readonly #maxFiles: number;
  /** The names of files that are written to. */
  readonly #active = new Set<string>();

  /** @param maxFiles how many files there may be; the oldest are removed, but none that is written to. */
  constructor(directory: string, maxFiles: number) {
    this.directory = directory;
    this.#maxFiles = maxFiles;
  }

  /** The name of a new recording, without the number of its part. */
  newName(id: string, began: Date): string {
    const time = began.toISOString().replaceAll(/[-:.]/g, '');
    const safeId = id.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 80) || 'connection';
    return `${time}-${safeId}-${randomBytes(3).toString('hex')}`;
  }

  /** The name of a file of a recording. */
  partName(name: string, part: number): string {
    return `${name}.${part}${RECORDING_SUFFIX}`;
  }

  /** Makes a file to write to; `close` has to be told. Rejects with what the system says. */
  async create(name: string): Promise<FileHandle> {
    this.#active.add(name);
    try {
      await mkdir(this.directory, { recursive: true, mode: FOLDER_MODE });
      // Nothing that is there already is opened, a link neither.
      const handle = await open(join(this.directory, name), 'wx', FILE_MODE);
      await this.#prune();
      return handle;
    } catch (error) {
      this.#active.delete(name);
      throw error;
    }
  }

  /** A file is not written to any more. */
  closed(name: string): void {
    this.#active.delete(name);
  }

  /** Every recording, the oldest first; none where there is no folder. */
  async list(): Promise<RecordingFileInfo[]> {
    const found = await Promise.all((await this.#names()).map((name) => this.#infoOf(name)));
    return found.filter((info) => info !== undefined);
  }

  /**
   * Opens a recording to read.
   *
   * @throws TidegateError `UNKNOWN_RECORDING` for a name that no recording has.
   */
  async openToRead(name: string): Promise<FileHandle> {
    if (!NAME.test(name)) throw unknown(name);
    try {
      return await open(join(this.directory, name), constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch {
      throw unknown(name);
    }
  }

  /** @throws TidegateError `UNKNOWN_RECORDING` for a name that no recording has, `RECORDING_ACTIVE` for one that is written to. */
  async remove(name: string): Promise<void> {
    if (!NAME.test(name)) throw unknown(name);
    if (this.#active.has(name)) throw new TidegateError('RECORDING_ACTIVE', `${name} is written to`);
    try {
      await rm(join(this.directory, name));
    } catch {
      throw unknown(name);
    }
  }

  async #names(): Promise<string[]> {
    try {
      return (await readdir(this.directory)).filter((name) => NAME.test(name)).sort();
    } catch {
      return [];
    }
  }

  async #infoOf(name: string): Promise<RecordingFileInfo | undefined> {
    try {
      const { size, mtime } = await stat(join(this.directory, name));
      return { name, bytes: size, modifiedAt: mtime.toISOString(), active: this.#active.has(name) };
    } catch {
      return undefined;
    }
  }

  async #prune(): Promise<void> {
    const names = await this.#names();
    let tooMany = names.length - this.#maxFiles;
    for (const name of names) {
      if (tooMany <= 0) return;
      if (this.#active.has(name)) continue;
      tooMany -= 1;
      await rm(join(this.directory, name), { force: true }).catch(() => {});
    }
  }
}

function unknown(name: string): TidegateError {
  return new TidegateError('UNKNOWN_RECORDING', `there is no recording ${JSON.stringify(name)}`);
}
