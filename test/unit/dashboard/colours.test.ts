/** Owns that what the dashboard writes can be read: the contrast of its colours, by the rules of WCAG 2.2, level AA. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const style = readFileSync(new URL('../../../src/dashboard/style.css', import.meta.url), 'utf8');
const [light = '', dark = ''] = [...style.matchAll(/:root \{([^}]*)\}/g)].map(([, block]) => block);

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(block: string, one: string, other: string): number {
  const [first = 0, second = 0] = [one, other].map((name) => {
    const colour = new RegExp(`--${name}: (#[0-9a-f]{6});`).exec(block)?.[1];
    if (colour === undefined) throw new Error(`there is no colour ${name}`);
    return luminance(colour);
  });
  return (Math.max(first, second) + 0.05) / (Math.min(first, second) + 0.05);
}

const TEXT = [
  ...['ink', 'quiet', 'accent', 'harm'].flatMap((ink) => ['paper', 'card'].map((ground) => [ink, ground])),
  ['ink', 'shade'],
  ['ink', 'final'],
  ['quiet', 'shade'],
  ['quiet', 'final'],
  ['accent', 'glow'],
  ['ink', 'glow'],
  ['on-accent', 'accent'],
  ['on-warn', 'warn'],
] as const;

const SHAPES = ['line-1', 'line-2', 'line-3', 'accent'].map((line) => [line, 'card'] as const);

it.each([
  ['light', light],
  ['dark', dark],
])('text stands out from its ground by 4.5 to 1, and lines by 3 to 1: %s', (_, block) => {
  const below = (pairs: readonly (readonly string[])[], least: number) =>
    pairs.filter(([one, other]) => contrast(block, one!, other!) < least).map((pair) => pair.join(' on '));
  expect(below(TEXT, 4.5)).toEqual([]);
  expect(below(SHAPES, 3)).toEqual([]);
});
