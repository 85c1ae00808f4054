/**
 * Owns which subprotocol the 101 names (RFC 6455 sections 4.2.2 and 11.3.4). Refuses to read or write headers.
 */
import type { ErrorCode } from '../../receivers/errors.js';

/** What happens when the client offered subprotocols and none was chosen for it. */
export type WhenNoSubprotocol = 'first' | 'omit' | 'reject';

/** The chosen subprotocol, an empty string for none, or why there cannot be one. */
export type SubprotocolChoice =
  | { readonly subprotocol: string }
  | { readonly error: ErrorCode; readonly message: string };

/**
 * Chooses the subprotocol of the 101. Browsers fail a connection whose 101 names none of those they offered, so omitting
 * it is an explicit choice.
 *
 * 1. What the application chose wins; it must be one that was offered. An empty string chooses none.
 * 2. Without an offer there is none.
 * 3. With a list of allowed ones, it is the first offered one on that list, whatever `whenNone` says.
 * 4. Otherwise `whenNone` decides: `first` takes the first offered one (with a non-empty list: refuses, as none is allowed),
 *    `omit` answers without the header, `reject` refuses.
 */
export function chooseSubprotocol(
  offered: readonly string[],
  chosen: string | undefined,
  allowed: readonly string[] | undefined,
  whenNone: WhenNoSubprotocol,
): SubprotocolChoice {
  if (chosen !== undefined) {
    if (chosen === '' || offered.includes(chosen)) return { subprotocol: chosen };
    return {
      error: 'SUBPROTOCOL_NOT_OFFERED',
      message: `the subprotocol ${JSON.stringify(chosen)} was not offered; the client offered ${list(offered)}`,
    };
  }
  const [first] = offered;
  if (first === undefined) return { subprotocol: '' };
  const match = allowed?.length ? offered.find((one) => allowed.includes(one)) : undefined;
  if (match !== undefined) return { subprotocol: match };
  if (whenNone === 'omit') return { subprotocol: '' };
  if (whenNone === 'first' && !allowed?.length) return { subprotocol: first };
  const served = allowed?.length ? `; served here: ${list(allowed)}` : '';
  return {
    error: 'SUBPROTOCOL_REQUIRED',
    message: `none of the offered subprotocols ${list(offered)} is served${served}`,
  };
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.map((name) => JSON.stringify(name)).join(', ');
}
