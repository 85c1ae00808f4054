/** Owns what the relative names of files in options mean, and reading such files. Refuses to know what is in them. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

// Relative names in a configuration file mean the folder of that file. zod passes no context to a transform, and
// validation is synchronous, so the folder is set around it.
let baseDirectory: string | undefined;

/** Runs a synchronous validation during which relative file names start at a folder. Default: the working directory. */
export function withBaseDirectory<Result>(directory: string | undefined, run: () => Result): Result {
  const before = baseDirectory;
  baseDirectory = directory;
  try {
    return run();
  } finally {
    baseDirectory = before;
  }
}

/** What the name of a file means where it stands. */
export function fromBaseDirectory(file: string): string {
  return resolve(baseDirectory ?? '', file);
}

/** Reads a file that an option names. */
export function readConfigFile(name: string): string {
  return readFileSync(fromBaseDirectory(name), 'utf8');
}
