/**
 * Owns hashes of passwords: scrypt (RFC 7914) as text in the form of PHC strings, made and compared. Refuses to know whose
 * password it is.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** A hash that was read from its text. */
export interface PasswordHash {
  /** The binary logarithm of the cost N. */
  readonly ln: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** What new hashes cost: 32 MiB and about a tenth of a second. */
const NEW = { ln: 15, r: 8, p: 1 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** A hash from elsewhere may cost more, but not so much that one attempt is an attack. */
const MAX_MEMORY_BYTES = 256 * 1024 * 1024;

const FORM = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{8,88})\$([A-Za-z0-9+/]{22,88})$/;

/** Tells whether a text is meant as a hash and not as a password. */
export function looksHashed(text: string): boolean {
  return text.startsWith('$scrypt$');
}

/** Reads `$scrypt$ln=15,r=8,p=1$<salt>$<hash>`, both in base64 without padding; undefined for anything else. */
export function parseHash(text: string): PasswordHash | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const [ln, r, p] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (ln < 1 || r < 1 || p < 1 || p > 16 || memory(ln, r) > MAX_MEMORY_BYTES) return undefined;
  return { ln, r, p, salt: Buffer.from(match[4]!, 'base64'), hash: Buffer.from(match[5]!, 'base64') };
}

/** Makes the text of a hash of a password, with a salt of its own. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, { ...NEW, salt, hash: Buffer.alloc(HASH_BYTES) });
  return `$scrypt$ln=${NEW.ln},r=${NEW.r},p=${NEW.p}$${unpadded(salt)}$${unpadded(hash)}`;
}

/** Whether a password has this hash; takes the same time for every password. */
export async function matchesHash(password: string, wanted: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, wanted), wanted.hash);
}

/** A hash that no password is known to have, which costs as much to compare with as another. */
export function hashOfNobody({ ln, r, p, hash }: PasswordHash): PasswordHash {
  return { ln, r, p, salt: randomBytes(SALT_BYTES), hash: randomBytes(hash.length) };
}

function derive(password: string, { ln, r, p, salt, hash }: PasswordHash): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // NFC, so that a password is the same from every keyboard (RFC 8265 section 4.2.1).
    const text = password.normalize('NFC');
    const options = { N: 2 ** ln, r, p, maxmem: 2 * memory(ln, r) + 1024 * 1024 };
    scrypt(text, salt, hash.length, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

function memory(ln: number, r: number): number {
  return 128 * r * 2 ** ln;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
