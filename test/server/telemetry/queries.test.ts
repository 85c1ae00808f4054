/** Owns that every query that the project hands out asks for what a server says: those of the dashboard for Grafana and of the alerts. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { LoadBalancer } from '../../../src/index.js';
import { eventually } from '../../support/events.js';
import type { ExpositionPage } from '../../support/exposition.js';
import { folderForTest } from '../../support/folder.js';
import { usedBy } from '../../support/promql.js';
import { programPath } from '../../support/proxies.js';
import { RawClient } from '../../support/raw-client.js';
import { RawUpstream } from '../../support/raw-upstream.js';
import { scrape } from './scrape.js';

const docs = join(import.meta.dirname, '../../../docs');

/** What Prometheus adds to everything that it scrapes, and to buckets. */
const ADDED = ['instance', 'job', 'le'];

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const dashboard = JSON.parse(readFileSync(join(docs, 'grafana/tidegate.json'), 'utf8')) as {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: string }[] };
};

const guide = readFileSync(join(docs, 'guide/monitoring.md'), 'utf8');
const alerts = /```yaml\n# tidegate-alerts\.yml\n([\s\S]*?)```/.exec(guide)?.[1] ?? '';
const rules = (parse(alerts) as { groups: { rules: { alert: string; expr: string }[] }[] }).groups[0]!.rules;

const queries = [
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({ title: `${title}: ${legendFormat}`, expr: withoutVariables(expr) })),
  ),
  ...rules.map(({ alert, expr }) => ({ title: alert, expr })),
];

function withoutVariables(expr: string): string {
  return expr.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*').replaceAll('$server', '.*');
}

/** The page of a server to which everything has happened that the queries ask about. */
async function eventfulPage(): Promise<ExpositionPage> {
  const upstream = await RawUpstream.start();
  const balancer = new LoadBalancer({
    listen: '127.0.0.1:0',
    backends: [{ id: 'a', url: upstream.url }],
    health: { check: 'off' },
    admin: { listen: '127.0.0.1:0' },
    origins: ['https://there.example'],
  });
  const [address] = await balancer.start();
  const { port } = address!;
  try {
    await RawClient.handshake({ port, headers: { Origin: 'https://elsewhere.example' } });
    const gone = await RawClient.open({ port });
    gone.destroy();
    const stays = await RawClient.open({ port });
    const closed = async () => (await scrape(balancer.adminUrl)).sum('tidegate_connections_closed_total') === 1;
    await eventually(closed, 'the first client is gone');
    // The garbage collector tells in a turn of its own.
    const page = await scrape(balancer.adminUrl);
    stays.destroy();
    return page;
  } finally {
    await balancer.stop({ drainTimeout: 0 });
    await upstream.close();
  }
}

describe('a query of the dashboard or of an alert', () => {
  let page: ExpositionPage;
  beforeAll(async () => {
    page = await eventfulPage();
  });

  it.each(queries)('asks for what there is: $title', ({ expr }) => {
    const { selectors, grouping } = usedBy(expr);
    expect(selectors.length).toBeGreaterThan(0);
    const labels = new Set(ADDED);
    for (const { metric, matchers } of selectors) {
      const samples = page.samples.filter(({ name }) => name === metric);
      expect([metric, samples.length > 0]).toEqual([metric, true]);
      for (const { labels: own } of samples) for (const label of Object.keys(own)) labels.add(label);
      for (const { label, operator, value } of matchers.filter((matcher) => !ADDED.includes(matcher.label))) {
        expect([metric, label, samples.every(({ labels: own }) => label in own)]).toEqual([metric, label, true]);
        // Reasons and causes have a series from the first time on; whatever else is named is always there.
        if (operator !== '=' || label === 'cause') continue;
        expect(samples.map(({ labels: own }) => own[label])).toContain(value);
      }
    }
    for (const label of grouping) expect(labels).toContain(label);
  });

  it('has labels in its legend that it keeps', () => {
    for (const { targets = [] } of dashboard.panels) {
      for (const { expr, legendFormat } of targets) {
        const { grouping } = usedBy(withoutVariables(expr));
        const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
        for (const label of named)
          expect([expr, [...grouping, 'instance']]).toEqual([expr, expect.arrayContaining([label])]);
      }
    }
  });

  it('finds its variables in a metric that is always there', () => {
    for (const { query } of dashboard.templating.list.filter(({ name }) => name !== 'datasource')) {
      const [, metric = ''] = /^label_values\((\w+), \w+\)$/.exec(query) ?? [];
      expect(page.families.has(metric)).toBe(true);
    }
  });

  const promtool = programPath('promtool');
  it.skipIf(promtool === undefined)('is one to promtool, too', async () => {
    const file = join(folderForTest(), 'rules.yml');
    const records = queries.map(({ expr }, at) => ({ record: `query_${at}`, expr }));
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'queries', rules: [...records, ...rules] }] }));
    const { status, stderr } = spawnSync(promtool!, ['check', 'rules', file], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
