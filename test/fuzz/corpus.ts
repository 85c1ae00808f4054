/** Owns the files of the corpus: read in the order of their names, and written when something was found. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One file of a corpus. */
export interface CorpusFile {
  readonly name: string;
  readonly bytes: Buffer;
}

/** The corpus of one target: a folder. */
export class Corpus {
  readonly folder: string;

  constructor(root: string, target: string) {
    this.folder = join(root, target);
  }

  read(): CorpusFile[] {
    if (!existsSync(this.folder)) return [];
    const names = readdirSync(this.folder).sort();
    return names.map((name) => ({ name, bytes: readFileSync(join(this.folder, name)) }));
  }

  /** Saves an input under a name that follows from its bytes, and answers with the path. */
  save(kind: 'finding' | 'covers', bytes: Buffer): string {
    mkdirSync(this.folder, { recursive: true });
    const hash = createHash('sha1').update(bytes).digest('hex').slice(0, 10);
    const path = join(this.folder, `${kind}-${hash}`);
    writeFileSync(path, bytes);
    return path;
  }
}
