/** Owns the list of files that show the charts. Refuses to write them. */
import { toMermaid } from './mermaid.mjs';
import { readChart } from './read-chart.mjs';
import { toSvg } from './svg.mjs';

/**
 * Draws machines: for each one the text and the picture, by file name.
 *
 * @returns {Promise<Map<string, string>>}
 */
export async function renderStatecharts(machines) {
  const files = new Map();
  for (const machine of machines) {
    const chart = readChart(machine);
    files.set(`${chart.id}.mmd`, toMermaid(chart));
    files.set(`${chart.id}.svg`, await toSvg(chart));
  }
  return files;
}
