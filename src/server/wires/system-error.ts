/** Owns the errors of calls below the public API, in the shape that Node.js gives its own. */
import { getSystemErrorMap } from 'node:util';

/** Makes an error of a negative code that a handle answered, such as `connect ECONNREFUSED 127.0.0.1:9`. */
export function systemError(code: number, call: string, where = ''): Error & { readonly code: string } {
  const [name = `UNKNOWN_${-code}`, description = ''] = getSystemErrorMap().get(code) ?? [];
  return Object.assign(new Error(`${call} ${name}${where === '' ? '' : ` ${where}`}: ${description}`), { code: name });
}
