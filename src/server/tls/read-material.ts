/** Owns getting at certificate and key material, wherever it stands. Refuses to say what is in it. */
import { readFileSync } from 'node:fs';
import { describeError } from '../../receivers/errors.js';
import type { Material } from './tls-config.js';

const DATA = 'data:application/octet-stream;base64,';

/** Something that a listener cannot use for TLS, with the option that named it. Never says what is secret. */
export class MaterialError extends Error {
  override readonly name = 'MaterialError';
  /** The option, in steps below the TLS settings, such as `['key']`. */
  readonly at: readonly PropertyKey[];

  constructor(at: readonly PropertyKey[], message: string) {
    super(message);
    this.at = at;
  }
}

/** Makes material of bytes: PEM as the text that it is, anything else as a `data:` URL. */
export function materialOf(bytes: Uint8Array): Material {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString('latin1');
  return isPem(text) ? text : `${DATA}${buffer.toString('base64')}`;
}

/** Whether this is PEM text, and not the name of a file. */
function isPem(text: string): boolean {
  return text.includes('-----BEGIN');
}

/** Whether this names a file. */
export function isFile(material: Material): boolean {
  return !isPem(material) && !material.startsWith(DATA);
}

/** How material is called in a message: the file, or the option that holds it. */
export function nameOf(material: Material, option: string): string {
  return isFile(material) ? material : `the text of \`${option}\``;
}

/** Reads material that may be binary. @throws MaterialError */
export function readBytes(material: Material, at: readonly PropertyKey[], what: string): Buffer {
  if (isPem(material)) return Buffer.from(material, 'latin1');
  if (material.startsWith(DATA)) return Buffer.from(material.slice(DATA.length), 'base64');
  try {
    return readFileSync(material);
  } catch (error) {
    throw new MaterialError(at, `expected ${what} or the name of a readable file (${describeError(error)})`);
  }
}

/** Reads material that is text. @throws MaterialError */
export function readPem(material: Material, at: readonly PropertyKey[]): string {
  return readBytes(material, at, 'PEM text').toString('latin1');
}
