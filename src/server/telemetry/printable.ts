/**
 * Owns making text that somebody else wrote harmless where people read it: on a terminal, control characters move the cursor, change
 * the title or the clipboard, and marks of direction turn words around. Refuses to judge what the text says.
 */

// C0 and C1 controls, line and paragraph separators, marks and overrides of direction, and the byte order mark.
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Writes each character that is not for reading as `\x1b` or `\u202e`. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`;
  });
}

/** Whether a text is as {@link printable} would write it. */
export function isPrintable(text: string): boolean {
  return text.search(UNPRINTABLE) === -1;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}

/** Shortens a text to a number of characters, with an ellipsis for what was left out. */
export function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, Math.max(0, length - 1))}…`;
}
