/**
 * Owns reading the cookies of a request (RFC 6265 section 5.4), and taking one of them out of it. Refuses to know what they mean and to
 * set any.
 */
import { headerValues } from './header-fields.js';

/**
 * The values of every cookie of that name, in order, without the quotes that some put around them: a page of a neighbouring host may
 * have planted a second one (RFC 6265 section 8.6).
 *
 * @param field the value of `Cookie`; several fields joined with `; `.
 */
export function cookieValues(field: string | undefined, name: string): string[] {
  if (field === undefined || !field.includes(name)) return [];
  return pairsOf(field)
    .filter((pair) => isNamed(pair, name))
    .map((pair) => pair.slice(name.length + 1).replace(/^"(.*)"$/, '$1'));
}

/**
 * The header fields, names and values in turn, without that cookie; the same list when it is not among them. What is left of `Cookie`
 * stands where the first such field stood.
 */
export function withoutCookie(rawHeaders: readonly string[], name: string): readonly string[] {
  const pairs = headerValues(rawHeaders, 'cookie').flatMap(pairsOf);
  const rest = pairs.filter((pair) => !isNamed(pair, name));
  if (rest.length === pairs.length) return rawHeaders;
  const left: string[] = [];
  let kept = rest.length === 0;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const field = rawHeaders[at]!;
    if (field.toLowerCase() !== 'cookie') left.push(field, rawHeaders[at + 1]!);
    else if (!kept) {
      kept = true;
      left.push(field, rest.join('; '));
    }
  }
  return left;
}

function pairsOf(field: string): string[] {
  return field
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '');
}

/** The names of cookies are told apart by case (RFC 6265 section 5.3). */
function isNamed(pair: string, name: string): boolean {
  return pair.startsWith(name) && pair[name.length] === '=';
}
