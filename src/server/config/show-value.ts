/** Owns how a received value is shown in an error message: in one short line, and never a secret. Refuses to judge the value. */
import { inspect } from 'node:util';

/** Key material: only the name of a file is shown. */
const SECRET = new Set<PropertyKey>(['key', 'pfx', 'passphrase', 'tls']);
/** What holds passwords or shared secrets is never shown, however short. */
const CONFIDENTIAL = new Set<PropertyKey>([
  'users',
  'password',
  'passphrase',
  'secret',
  'token',
  'authentication',
  'jwt',
  'keySet',
]);

/** Shows the value of the option at `steps`. */
export function showValue(value: unknown, steps: readonly PropertyKey[]): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (isSecret(value, steps)) return `a value of type ${Array.isArray(value) ? 'list' : typeof value}`;
  // JSON's quotes for text, as in the file; inspect() for everything JSON has no words for.
  const text = typeof value === 'string' ? JSON.stringify(value) : inspect(value, { depth: 1, breakLength: Infinity });
  // A password in a URL must not reach a log by way of an error message.
  const secret = steps.includes('dialThrough') ? /^"?.*@/s : /\/\/[^/?#]*@/;
  const line = text.replaceAll(/\s*\n\s*/g, ' ').replace(secret, '//…@');
  return line.length > 120 ? `${line.slice(0, 117)}...` : line;
}

function isSecret(value: unknown, steps: readonly PropertyKey[]): boolean {
  const last = steps.at(-1);
  if (steps.includes('users') || steps.includes('tokens') || (last !== undefined && CONFIDENTIAL.has(last)))
    return true;
  if (typeof value === 'number' || typeof value === 'boolean' || !steps.some((step) => SECRET.has(step))) return false;
  // A name of a file may be shown, and has to be.
  return typeof value !== 'string' || value.length >= 200 || /[{\n]|-----/.test(value);
}
