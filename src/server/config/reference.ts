/** Owns how the reference page of the configuration is worded. Everything it says comes from the definitions. */
import { cliBalancerSchema, cliProxySchema } from './file-schema.js';
import { logSchema } from './log.js';
import { type OptionEntry, walkOptions } from './walk.js';

const INTRO = `# Configuration

<!-- Generated from the option definitions by \`npm run docs\`. Changes made here are lost. -->

Every option has one definition. Its type, default, validation, flag, environment variable, JSON Schema and row on this
page all come from there. The same names are used in code (\`new ProxyServer({ limits: { maxConnections: 100 } })\`) and in
a file (\`limits: { maxConnections: 100 }\`).

A proxy has [these](#options-of-a-proxy), and a load balancer [those as well](#options-of-a-balancer), but for \`target\` and
\`warmConnections\`.

- **Durations** are milliseconds as a number, or text: \`500ms\`, \`30s\`, \`5m\`, \`1h\`, \`1d\`; at most 24 days.
- **Sizes** are bytes as a number, or text: \`512B\`, \`64KiB\`, \`1MiB\` (powers of 1024), \`16KB\`, \`16MB\` (powers of 1000).
- **Bit rates** are bits a second as a number, or text: \`500kbit\`, \`10Mbit\`, \`1Gbit\`; 0 is no limit.
- A **flag** wins over its environment variable. In a variable, a list is separated by commas.
- Names of files in a configuration file are relative to the folder of that file.

## A configuration file

\`tidegate run --config tidegate.yaml\` runs one, \`tidegate check --config tidegate.yaml\` says everything that is wrong with
it, \`tidegate schema\` prints its JSON Schema. JSON works as well as YAML.

\`\`\`yaml
proxies:
  - name: vnc
    listen: 6080
    target: tcp://127.0.0.1:5900
  - name: app
    listen: 127.0.0.1:8080
    target: ws://127.0.0.1:3000/socket
    limits: { maxMessageBytes: 1MiB }
    timeouts: { idle: 10m }
balancers:
  - name: chat
    listen: 8081
    backends: [ws://10.0.0.1:3000, { url: ws://10.0.0.2:3000, weight: 2 }]
    affinity: { by: cookie }
log: { format: json, level: info }
\`\`\`

\`tls: { cert: app.pem, key: app.key }\` gives every listener TLS; one of its own mind is an object:
\`listen: [8443, { port: 8080, tls: false }]\`. See [TLS](../guide/tls.md).
`;

/** Renders the reference page as Markdown. */
export function renderReference(): string {
  const ofProxies = walkOptions(cliProxySchema);
  const shared = new Set(ofProxies.map(({ path }) => path));
  const ofBalancers = walkOptions(cliBalancerSchema).filter(({ path }) => !shared.has(path));
  const sections = [
    ...sectionsOf('Options of a proxy', '', ofProxies),
    ...sectionsOf('Options of a balancer', BALANCER, ofBalancers),
    section(
      '`log`',
      'How to log. In a file it stands at the top, beside `proxies` and `balancers`.',
      walkOptions(logSchema).map((entry) => ({ ...entry, path: `log.${entry.path}` })),
    ),
  ];
  return `${INTRO}\n${sections.join('\n')}`;
}

const BALANCER =
  'Every option of a proxy but `target` and `warmConnections` is one of a balancer, too; what stands in the sections from here on is only for balancers. See [load balancing](../guide/load-balancing.md).';

function sectionsOf(title: string, description: string, entries: readonly OptionEntry[]): string[] {
  // A group in a group is a paragraph of its own in the section of the outer one.
  const groups = entries.filter(({ kind, steps }) => kind === 'group' && steps.length === 1);
  const isGrouped = ({ steps }: OptionEntry) => groups.some((group) => group.path === steps[0]);
  return [
    section(
      title,
      description,
      entries.filter((entry) => !isGrouped(entry)),
    ),
    ...groups.map((group) =>
      section(
        `\`${group.path}\``,
        group.description,
        entries.filter(({ steps, kind }) => steps.length > 1 && steps[0] === group.path && kind !== 'group'),
      ),
    ),
  ];
}

function section(title: string, description: string, entries: readonly OptionEntry[]): string {
  const head = description === '' ? `## ${title}\n` : `## ${title}\n\n${description}\n`;
  return `${head}\n${entries.map(row).join('\n')}`;
}

function row(entry: OptionEntry): string {
  const { path, description, flag, env } = entry;
  if (entry.kind === 'group') return `### \`${path}\`\n\n${description}\n`;
  const lines = [`### \`${path}\``, '', description, '', `- Type: ${typeOf(entry)}`, `- Default: ${defaultOf(entry)}`];
  if (flag !== undefined) lines.push(`- Flag: \`--${flag}\`, environment: \`${env}\``);
  return `${lines.join('\n')}\n`;
}

const TYPES: Readonly<Record<OptionEntry['kind'], string>> = {
  duration: 'duration',
  size: 'size',
  rate: 'bit rate',
  count: 'whole number',
  fraction: 'number from 0 to 1',
  boolean: '`true` or `false`',
  choice: '',
  text: 'text',
  list: 'list of texts',
  group: '',
};

function typeOf({ kind, choices, path }: OptionEntry): string {
  if (path === 'tls.certificates') return 'a list of objects';
  if (path === 'tls.node') return 'an object';
  if (path === 'backends') return 'a list of addresses and objects';
  if (path === 'listen') return 'an address or a list of addresses';
  if (path === 'authentication.users') return 'users by name';
  if (path === 'compression') return '`true`, `false`, or an object with the settings below';
  return kind === 'choice' ? choices.map((word) => `\`${word}\``).join(', ') : TYPES[kind];
}

function defaultOf({ default: value, defaultText, kind }: OptionEntry): string {
  if (defaultText !== undefined) return defaultText;
  if (value === undefined) return 'none';
  return kind === 'duration' && value === 0 ? '`0` (off)' : `\`${String(value)}\``;
}
