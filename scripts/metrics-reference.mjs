/** Owns how the reference page of the metrics is worded. What it says about a metric comes from the metric itself. */

const INTRO = `# Metrics

<!-- Generated from src/server/telemetry/metrics by \`npm run docs\`. Changes made here are lost. -->

What \`GET /metrics\` of the admin side says, in the text format of Prometheus. How to have it scraped, drawn and watched is in
[monitoring](../guide/monitoring.md).

- Every metric has the label \`server\`: the name of the server on its admin side, so that several servers of one process are told
  apart. Those of the process have none.
- Everything is read when it is asked for, in one turn. Counters outlive a stop and a start of the server, and begin at 0 with the
  process; connections that live are in them, not only those that are over.
- No label has a value that a client chooses. Backends that register themselves choose their ids, so that at most 100 are told by name.
- Codes of applications (3000 to 4999) are told as \`3xxx\` and \`4xxx\`.

## Of a server

| metric | type | labels | what it says |
|---|---|---|---|
`;

const OF_THE_PROCESS = `
## Of the process

Those of [prom-client](https://github.com/siimon/prom-client): \`process_cpu_seconds_total\`, \`process_resident_memory_bytes\`,
\`process_open_fds\`, \`process_max_fds\`, \`process_start_time_seconds\`, \`nodejs_heap_size_used_bytes\`, \`nodejs_external_memory_bytes\`,
\`nodejs_eventloop_lag_p99_seconds\` and its siblings, \`nodejs_gc_duration_seconds\`, \`nodejs_version_info\` and more. Its counts of
handles and resources are left out: they list every socket of the process to count it. The event loop and the garbage collector are
watched from the first scrape on. What is said of the event loop is of the time since the scrape before, whoever made it.
`;

/** The page, as Markdown. */
export function renderMetrics(families) {
  const rows = families.map(({ name, type, labels, help }) => {
    const all = ['server', ...labels].map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${all} | ${help} |\n`;
  });
  return `${INTRO}${rows.join('')}${OF_THE_PROCESS}`;
}
