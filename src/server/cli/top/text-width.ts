/** Owns how much room text takes on a terminal, and amounts that fit into little. Refuses to know what is written. */
import { shortened } from '../../telemetry/printable.js';

// East Asian wide characters and emoji take two cells, marks that combine none.
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const NONE = /\p{M}/u;

/** The cells that a text takes. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += cellsOf(character);
  return width;
}

function cellsOf(character: string): number {
  if (NONE.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

/** A text in exactly so many cells: cut with an ellipsis, or filled with spaces. */
export function fitted(text: string, width: number, right = false): string {
  let cut = shortened(text, 10_000);
  if (widthOf(cut) > width) {
    let room = width - 1;
    let kept = '';
    for (const character of cut) {
      room -= cellsOf(character);
      if (room < 0) break;
      kept += character;
    }
    cut = width > 0 ? `${kept}…` : '';
  }
  const space = ' '.repeat(Math.max(0, width - widthOf(cut)));
  return right ? space + cut : cut + space;
}

const UNITS = ['', 'K', 'M', 'G', 'T'];

/** Bytes in powers of 1024, such as `950B`, `1.2KiB`, `16MiB`. */
export function size(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  if (unit === 0) return `${Math.round(value)}B`;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)}${UNITS[unit]}iB`;
}
