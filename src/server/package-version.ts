/** Owns the version of this package. Refuses everything else. */
import { readFileSync } from 'node:fs';

let version: string | undefined;

/** Such as `1.2.3`. */
export function packageVersion(): string {
  version ??= readVersion();
  return version;
}

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { version?: unknown }).version);
}
