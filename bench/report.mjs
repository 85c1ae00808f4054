/** Owns what a run leaves behind: text on the terminal, pages, pictures, and JSON. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chartOf } from './charts.mjs';
import { tableOf } from './tables.mjs';

const RESULTS = fileURLToPath(new URL('results', import.meta.url));
const PAGE = fileURLToPath(new URL('../docs/performance.md', import.meta.url));
const MARK = '<!-- figures: written by `npm run bench` -->';
const END_MARK = '<!-- /figures -->';
const NEW_PAGE = `# Performance

[bench/](../bench/README.md) says what is measured, and how to read it.

${MARK}
${END_MARK}
`;

/** Everything as text with aligned columns. */
export function terminalText({ about, parts, goals, seconds }) {
  const sections = Object.entries(parts).map(([name, result]) => {
    const { title, lines, header, rows, notes } = tableOf(name, result);
    return [`\n${title}`, ...lines, '', ...(rows.length > 0 ? aligned([header, ...rows]) : []), ...notes].join('\n');
  });
  // A run of one part would otherwise be buried under what it did not measure.
  const measured = goals.filter(({ reached }) => reached !== undefined);
  const goalRows = measured.map(({ name, value, goal, reached }) => [name, figure(value), goal, verdict(reached)]);
  return [
    ...aboutLines(about),
    ...sections,
    '\nGoals\n',
    ...aligned([['', 'measured', 'goal', ''], ...goalRows]),
    goalSum(goals),
    `\n${seconds.toFixed(0)} s`,
  ].join('\n');
}

/** Writes bench/results, and the section of docs/performance.md. The prose around that section stays. */
export function write(run) {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, 'results.json'), `${JSON.stringify(run, null, 1)}\n`);
  const ours = new Set(run.about.kinds.filter(({ side }) => side === 'ours').map(({ name }) => name));
  for (const [name, result] of Object.entries(run.parts)) {
    if (result.rows !== undefined) writeFileSync(join(RESULTS, `${name}.svg`), chartOf(name, result, ours));
  }
  const figures = markdown(run);
  writeFileSync(join(RESULTS, 'results.md'), `# Results\n\n${figures('')}\n${commands(run)}`);
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : NEW_PAGE;
  const [before, rest] = page.split(MARK);
  const after = rest?.split(END_MARK)[1];
  if (after === undefined) throw new Error(`${PAGE} has no section between ${MARK} and ${END_MARK}`);
  const link = 'How each was started: [bench/results/results.md](../bench/results/results.md#how-each-was-started).';
  writeFileSync(PAGE, `${before}${MARK}\n\n${figures('../bench/results/')}\n${link}\n\n${END_MARK}${after}`);
}

/** Answers a function of the folder in which the pictures are. */
function markdown({ about, parts, goals }) {
  return (folder) => {
    const sections = Object.entries(parts).flatMap(([name, result]) => {
      const { title, lines, header, rows, notes } = tableOf(name, result);
      const picture = result.rows === undefined ? [] : ['', `![${title}](${folder}${name}.svg)`];
      return [`\n## ${title}\n`, ...lines, '', ...table(header, rows), ...notes.map((note) => `\n${note}`), ...picture];
    });
    const rows = goals.map(({ name, value, goal, reached }) => [name, figure(value), goal, verdict(reached)]);
    return [
      ...aboutLines(about).map((line) => `- ${line}`),
      ...sections,
      '\n## Goals\n',
      ...table(['', 'measured', 'goal', ''], rows),
      `\n${goalSum(goals)}\n`,
    ].join('\n');
  };
}

function commands({ about }) {
  const started = about.kinds.filter(({ command }) => command !== undefined);
  const parts = started.map(({ name, command, config }) => {
    const file = config === undefined ? '' : `\n\n\`\`\`\n${config.trimEnd()}\n\`\`\``;
    return `### ${name}\n\n\`\`\`\n${command}\n\`\`\`${file}\n`;
  });
  return `## How each was started\n\n${parts.join('\n')}`;
}

/** Above this share of the cores for others, figures are not worth keeping. */
const DISTURBED = 0.1;

function aboutLines({ quick, machine, disturbance, kinds, settings, date }) {
  const versions = new Map(kinds.filter(({ missing }) => !missing).map(({ name, version }) => [name, version]));
  const missing = kinds.filter((kind) => kind.missing);
  return [
    ...(quick ? ['A quick run: few and short rounds, to show that it works. Not for quoting.'] : []),
    `${machine.cpu}, ${machine.cores} cores; Linux ${machine.kernel}; Node.js ${machine.node}; ${date}`,
    `Each proxy on core ${machine.proxyCore} with one worker, the load on core ${machine.loadCore}; medians of ${settings.rounds} rounds of ${settings.ms} ms`,
    ...(disturbance === undefined ? [] : [disturbanceLine(disturbance)]),
    `Versions: ${[...versions].map(([name, version]) => `${name} ${version}`).join(', ')}`,
    ...missing.map(({ name, missing: reason }) => `Skipped: ${name}, ${reason}`),
  ];
}

function disturbanceLine(share) {
  const text = `Other processes had ${(100 * share).toFixed(0)} % of both cores meanwhile`;
  return share > DISTURBED ? `${text}: too much, measure again on a quiet machine` : text;
}

function table(header, rows) {
  if (rows.length === 0) return [];
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map((_, column) => (column === 0 ? '---' : '---:'))), ...rows.map(line)];
}

function aligned(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row
      .map((cell, column) => align(cell, widths[column], column))
      .join('  ')
      .trimEnd(),
  );
}

function align(cell, width, column) {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}

function figure(value) {
  return value === undefined ? '–' : value.toFixed(2);
}

function verdict(reached) {
  return reached === undefined ? 'not measured' : reached ? 'reached' : 'missed';
}

function goalSum(goals) {
  const count = (wanted) => goals.filter(({ reached }) => reached === wanted).length;
  return `${count(true)} reached, ${count(false)} missed, ${count(undefined)} not measured`;
}
