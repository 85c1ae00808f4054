/** Owns the text of a chart for Mermaid's `stateDiagram-v2`. Refuses to know where it is kept. */

// Mermaid takes no dots in an id.
const idOf = (id) => id.replaceAll('.', '_');

// A colon ends a label and a semicolon ends a statement.
const textOf = (lines) =>
  lines
    .filter((line) => line !== '')
    .map((line) => line.trim().replace(/[:;]/g, ' '))
    .join('<br/>');

/**
 * Writes a chart as Mermaid.
 *
 * @param {import('./read-chart.mjs').State} chart
 * @returns {string}
 */
export function toMermaid(chart) {
  const lines = ['stateDiagram-v2', ...inside(chart, '  ')];
  if (chart.does.length > 0) {
    // What the chart does in any state has no state of its own to stand in.
    lines.splice(1, 0, ...chart.does.map((one) => `  %% in every state: ${one}`));
  }
  return `${lines.join('\n')}\n`;
}

function inside(state, indent) {
  const lines = [];
  if (state.initial) lines.push(`${indent}[*] --> ${idOf(state.initial)}`);
  for (const [index, child] of state.children.entries()) {
    if (state.kind === 'parallel' && index > 0) lines.push(`${indent}--`);
    lines.push(...declaration(child, indent));
  }
  for (const { source, target, lines: label } of state.edges) {
    lines.push(`${indent}${idOf(source)} --> ${idOf(target)}: ${textOf(label)}`);
  }
  for (const child of state.children) {
    if (child.kind === 'final') lines.push(`${indent}${idOf(child.id)} --> [*]`);
  }
  return lines;
}

function declaration(state, indent) {
  const id = idOf(state.id);
  if (state.children.length === 0) {
    return [`${indent}state "${state.name}" as ${id}`, ...state.does.map((one) => `${indent}${id}: ${textOf([one])}`)];
  }
  const title = [state.name, ...state.does].join(' · ');
  return [`${indent}state "${textOf([title])}" as ${id} {`, ...inside(state, `${indent}  `), `${indent}}`];
}
