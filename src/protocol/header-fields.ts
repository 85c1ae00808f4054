/**
 * Owns the reading of header fields from the flat list that Node calls rawHeaders: names and values in turn, as sent.
 * Refuses to judge them. The raw list is used throughout, because the parsed one joins or drops duplicates, and a
 * handshake has to see those.
 */

/** Calls `visit` for each field, with its name in lower case, and its position in the list. */
export function eachField(
  rawHeaders: readonly string[],
  visit: (lowerName: string, value: string, position: number) => void,
): void {
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    visit(rawHeaders[at]!.toLowerCase(), rawHeaders[at + 1]!, at);
  }
}

const NONE: readonly never[] = [];

/** Collects the values of every field with that name (any case), trimmed, in order (RFC 9110 section 5.3). */
export function headerValues(rawHeaders: readonly string[], name: string): readonly string[] {
  const wanted = name.toLowerCase();
  let values: string[] | undefined;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const given = rawHeaders[at]!;
    // Most names differ in length, and need no lower case to be told apart.
    if (given.length === wanted.length && given.toLowerCase() === wanted) {
      values ??= [];
      values.push(trimmed(rawHeaders[at + 1]!));
    }
  }
  // A handshake is looked through for a dozen fields, and most of them are not there.
  return values ?? NONE;
}

/** Collects the members of a comma list, over all fields with that name, trimmed and in lower case (RFC 9110 section 5.6.1). */
export function headerTokens(rawHeaders: readonly string[], name: string): string[] {
  const tokens: string[] = [];
  for (const value of headerValues(rawHeaders, name)) {
    for (let start = 0; start <= value.length; ) {
      const comma = value.indexOf(',', start);
      const end = comma === -1 ? value.length : comma;
      const token = trimmed(start === 0 && comma === -1 ? value : value.slice(start, end)).toLowerCase();
      if (token !== '') tokens.push(token);
      start = end + 1;
    }
  }
  return tokens;
}

/** Words the values of a field for a message: quoted, since they come from a stranger and may hold anything. */
export function shownValues(values: readonly string[]): string {
  return values.length === 0 ? 'none' : values.map((value) => JSON.stringify(value)).join(' and ');
}

/** Only space and tab are optional whitespace (RFC 9110 section 5.6.3); `trim()` would also take off U+00A0. */
function trimmed(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value.charCodeAt(start))) start += 1;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end -= 1;
  return start === 0 && end === value.length ? value : value.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
