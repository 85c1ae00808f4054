/** Owns that the pages point at what is there: relative links, headings, and the tests that docs/parity.md names. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

const pages = [
  'README.md',
  'CHANGELOG.md',
  'bench/README.md',
  'examples/README.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

/** The text without code, where brackets mean something else. */
function prose(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8')
    .replaceAll(/^```[\s\S]*?^```/gm, '')
    .replaceAll(/`[^`\n]*`/g, '``');
}

/** The anchor of a heading, as GitHub makes it. */
function anchorOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}

function anchors(path: string): Set<string> {
  const text = readFileSync(path, 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');
  return new Set([...text.matchAll(/^#+ (.*)$/gm)].map((match) => anchorOf(match[1]!)));
}

describe('every page', () => {
  it.each(pages)('%s links only to files and headings that exist', (page) => {
    const broken: string[] = [];
    for (const [, link = ''] of prose(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      const [file = '', anchor] = link.split('#');
      const path = file === '' ? join(ROOT, page) : join(ROOT, dirname(page), file);
      if (!existsSync(path)) broken.push(link);
      else if (anchor !== undefined && !(statSync(path).isFile() && anchors(path).has(anchor))) broken.push(link);
    }
    expect(broken).toEqual([]);
  });

  it.each(pages)('%s names only tests that exist', (page) => {
    const text = readFileSync(join(ROOT, page), 'utf8');
    const named = [...text.matchAll(/`(test\/[^`\s]+)`/g)].map((match) => match[1]!);
    // A folder says too little, and an empty one is not in a clone.
    const isTest = (path: string) => existsSync(join(ROOT, path)) && statSync(join(ROOT, path)).isFile();
    expect(named.filter((path) => path.endsWith('.ts') && !isTest(path))).toEqual([]);
    if (page === join('docs', 'parity.md')) expect(named.filter((path) => !path.endsWith('.ts'))).toEqual([]);
  });

  it('README.md shows the chart of a connection as it is drawn in docs/statecharts; `npm run docs` copies it', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    const chart = readFileSync(join(ROOT, 'docs/statecharts/connection.mmd'), 'utf8');
    expect(readme.includes(`\`\`\`mermaid\n${chart}\`\`\``)).toBe(true);
  });
});

describe('docs/parity.md', () => {
  const text = readFileSync(join(ROOT, 'docs/parity.md'), 'utf8');

  it('says for every row what shows it, when it comes, or why it does not apply', () => {
    const rows = text.split('\n').filter((line) => line.startsWith('| ') && !/^\| (seed|---)/.test(line));
    const silent = rows.filter((row) => !/`test\/|later: |not applicable: |no: /.test(row));
    expect(silent).toEqual([]);
  });
});

describe('docs/README.md', () => {
  it('lists every page of docs', () => {
    const map = prose('docs/README.md');
    const listed = pages
      .filter((page) => page.startsWith('docs') && page !== join('docs', 'README.md'))
      .map((page) => relative('docs', page).replaceAll('\\', '/'));
    expect(listed.filter((page) => !map.includes(`(${page})`))).toEqual([]);
  });
});
