/**
 * Owns making the page of the dashboard: src/dashboard, the drawn statecharts and uPlot in one file without a reference to another,
 * dist/dashboard/index.html.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { ROOT } from './workspace.mjs';

const CHARTS = ['connection', 'upstream', 'supervisor', 'pool', 'backend'];

const read = (...path) => readFileSync(join(ROOT, ...path), 'utf8');

/** Writes the page. Rejects with what the bundler says is wrong. */
export async function buildDashboard() {
  const folder = join(ROOT, 'src', 'dashboard');
  const bundle = await rolldown({ input: join(folder, 'main.ts'), cwd: ROOT, platform: 'browser', logLevel: 'warn' });
  const { output } = await bundle.generate({ format: 'iife', minify: true });
  await bundle.close();
  const style = `${read('node_modules', 'uplot', 'dist', 'uPlot.min.css')}\n${read('src', 'dashboard', 'style.css')}`;
  const parts = {
    style,
    charts: CHARTS.map(chartTemplate).join('\n'),
    // The end of a script's element is looked for before anybody reads the script.
    script: output[0].code.replaceAll('</script', '<\\/script'),
  };
  const page = read('src', 'dashboard', 'index.html').replace(/<!-- (licence|style|charts|script) -->/g, (_, name) => {
    if (name === 'charts') return parts.charts;
    if (name === 'licence') return `<!-- Contains uPlot.\n\n${read('node_modules', 'uplot', 'LICENSE')}-->`;
    return `<${name}>${parts[name]}</${name}>`;
  });
  mkdirSync(join(ROOT, 'dist', 'dashboard'), { recursive: true });
  writeFileSync(join(ROOT, 'dist', 'dashboard', 'index.html'), page);
}

/**
 * A drawn chart as the page shows it, maybe more than once: its states have `data-state` instead of an id, its colours come from the
 * page, and it is no single image, since its states can be pressed.
 */
function chartTemplate(name) {
  const svg = read('docs', 'statecharts', `${name}.svg`)
    .replace(/<style>[\s\S]*?<\/style>\n/, '')
    .replace('role="img"', 'role="group"')
    .replaceAll('"tip"', `"tip-${name}"`)
    .replaceAll(`class="tip-${name}"`, 'class="tip"')
    .replaceAll('url(#tip)', `url(#tip-${name})`)
    .replaceAll(new RegExp(`id="(${name}[^"]*)"`, 'g'), 'data-state="$1"');
  return `<template id="chart-${name}">${svg}</template>`;
}
