/**
 * Owns noticing that one of some files is another one than before: written, replaced, or reached by another link. Refuses to
 * read them.
 */
import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** How {@link FileWatch} is told what to do. */
export interface FileWatchOptions {
  readonly files: readonly string[];
  /** Called after a change, once for those that come together. Must not throw. */
  readonly changed: () => void;
  /** Milliseconds of quiet that end a change: certificate and key are written one after the other. */
  readonly quiet?: number;
  /** Milliseconds between two looks at every file, for changes that the system does not tell. */
  readonly poll?: number;
}

const QUIET_MS = 300;
const POLL_MS = 30_000;

/** Watches files until it is stopped. Keeps no process alive. */
export class FileWatch {
  readonly #options: FileWatchOptions;
  readonly #watchers: FSWatcher[] = [];
  #seen = '';
  #quiet: NodeJS.Timeout | undefined;
  #poll: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: FileWatchOptions) {
    this.#options = options;
  }

  /** Begins; resolves when a change from here on is noticed. */
  async start(): Promise<void> {
    const { files, poll = POLL_MS } = this.#options;
    if (files.length === 0) return;
    // Folders, not files: what replaces a file, or a link to it, is a new entry in its folder. A change behind a folder that is
    // itself a link, or on a file system that tells nothing, is seen by the poll.
    for (const folder of new Set(files.map((file) => dirname(file)))) this.#watchFolder(folder);
    this.#poll = setInterval(() => void this.#look(), poll).unref();
    this.#seen = await signatureOf(files);
  }

  /** Ends at once: nothing is called any more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#quiet);
    clearInterval(this.#poll);
    for (const watcher of this.#watchers.splice(0)) watcher.close();
  }

  #watchFolder(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#stir());
      watcher.on('error', () => watcher.close());
      this.#watchers.push(watcher);
    } catch {
      // No folder, or no watch left in this system: the poll does it alone.
    }
  }

  #stir(): void {
    if (this.#stopped) return;
    const { quiet = QUIET_MS } = this.#options;
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => void this.#look(), quiet).unref();
  }

  async #look(): Promise<void> {
    const now = await signatureOf(this.#options.files);
    if (this.#stopped || now === this.#seen) return;
    this.#seen = now;
    this.#options.changed();
  }
}

/** Changes when any of the files is written, or replaced by another one, links followed. */
async function signatureOf(files: readonly string[]): Promise<string> {
  const all = await Promise.all(
    files.map(async (file) => {
      try {
        const { dev, ino, size, mtimeNs } = await stat(file, { bigint: true });
        return `${dev}:${ino}:${size}:${mtimeNs}`;
      } catch {
        return 'none';
      }
    }),
  );
  return all.join(' ');
}
