/**
 * Owns deriving flags and environment variables from option definitions, and reading them back into options. Refuses to
 * validate: the schema does that.
 */
import { Option } from 'commander';
import type { z } from 'zod';
import type { OptionKind } from '../config/fields.js';
import type { Problem } from '../config/problems.js';
import { type OptionEntry, walkOptions } from '../config/walk.js';

/** What was given for one option, and where. */
interface Given {
  readonly entry: OptionEntry;
  /** The flag or environment variable, as a person wrote it. */
  readonly source: string;
}

/** Options as given by flags and environment, not validated yet. */
export interface GivenOptions {
  readonly input: Record<string, unknown>;
  /** By option path. */
  readonly sources: ReadonlyMap<string, Given>;
}

type FlagEntry = OptionEntry & { readonly flag: string; readonly env: string };

/** The options of a schema that have a flag. */
function flagEntries(schema: z.ZodType): FlagEntry[] {
  return walkOptions(schema).filter((entry): entry is FlagEntry => entry.flag !== undefined);
}

/** Letters of choices that a flag shows by itself. */
const MAX_WORDS = 40;

/**
 * Makes the flag of each option of a schema, with its default and its environment variable in the help.
 *
 * @param groups the headings of the help, by the first step of an option's path.
 */
export function flagsOf(schema: z.ZodType, groups: Readonly<Record<string, string>> = GROUPS): Option[] {
  return flagEntries(schema).map((entry) => {
    const { flag, kind, choices, description } = entry;
    const words = choices.join('|');
    // One long flag would push every description of the help to the right.
    const isLong = words.length > MAX_WORDS;
    const given = words === '' || isLong ? entry.placeholder : `<${words}>`;
    const value = kind === 'boolean' ? '[true|false]' : given;
    const said = isLong ? `${description} One of ${choices.join(', ')}.` : description;
    const option = new Option(`--${flag} ${value}`, `${said} (${defaultOf(entry)}; env: ${entry.env})`);
    if (kind === 'list') option.argParser((text: string, before: string[] = []) => [...before, text]);
    return option.helpGroup(groups[entry.steps.length > 1 ? entry.steps[0]! : ''] ?? 'Options:');
  });
}

const GROUPS: Readonly<Record<string, string>> = {
  admin: 'Admin API:',
  admission: 'Admission:',
  affinity: 'Affinity:',
  authentication: 'Authentication:',
  compression: 'Compression:',
  control: 'Backends that register themselves:',
  discovery: 'Backends by name:',
  drain: 'Backends that go:',
  failover: 'Failover:',
  health: 'Health of backends:',
  heartbeat: 'Heartbeat:',
  http: 'Plain HTTP requests:',
  limits: 'Limits:',
  outbound: 'Sends that wait:',
  queue: 'Clients that wait for room:',
  redirect: 'Redirect mode:',
  register: 'Registering with a balancer:',
  socket: 'Sockets:',
  tcpFraming: 'Plain TCP clients:',
  throttle: 'Throttle:',
  timeouts: 'Timeouts:',
  tls: 'TLS of the listeners:',
  upstreamTls: 'TLS to the target:',
  watchdog: 'Watchdog:',
};

function defaultOf({ kind, default: value, defaultText }: OptionEntry): string {
  if (defaultText !== undefined) return `default: ${defaultText}`;
  if (value === undefined) return kind === 'list' ? 'may be repeated' : 'default: none';
  return kind === 'list' ? `default: ${String(value)}, may be repeated` : `default: ${String(value)}`;
}

/**
 * Collects what flags and environment variables say; a flag wins.
 *
 * @param values by the camel-cased name of the flag, as commander gives them.
 */
export function readFlags(
  schema: z.ZodType,
  values: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
): GivenOptions {
  const input: Record<string, unknown> = {};
  const sources = new Map<string, Given>();
  for (const entry of flagEntries(schema)) {
    const flag = values[camel(entry.flag)];
    // An empty variable is how a compose file leaves one out.
    const variable = env[entry.env] === '' ? undefined : env[entry.env];
    if (flag === undefined && variable === undefined) continue;
    sources.set(entry.path, { entry, source: flag === undefined ? entry.env : `--${entry.flag}` });
    const value = flag ?? (entry.kind === 'list' ? variable?.split(',').map((part) => part.trim()) : variable);
    assign(input, entry.steps, typeof value === 'string' ? readText(value, entry.kind) : value);
  }
  return { input, sources };
}

/** Words a problem for someone who wrote a flag or a variable. */
export function formatFlagProblem(
  { steps, path, received, expected }: Problem,
  given: GivenOptions,
  schema: z.ZodType,
): string {
  const option = steps.filter((step) => typeof step === 'string').join('.');
  const entry = flagEntries(schema).find((one) => one.path === option);
  const subject = given.sources.get(option)?.source ?? (entry === undefined ? path : `--${entry.flag}`);
  return received === undefined ? `${subject}: ${expected}` : `${subject}: got ${received}; ${expected}`;
}

function camel(flag: string): string {
  return flag.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

const SWITCH = new Map([
  ['true', true],
  ['false', false],
  ['1', true],
  ['0', false],
]);

// Text that is no number or switch stays text, so that the problem shows what was written.
function readText(text: string, kind: OptionKind): unknown {
  if (kind === 'boolean') return SWITCH.get(text.trim().toLowerCase()) ?? text;
  if (kind !== 'count' && kind !== 'fraction') return text;
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

// A setting of a group that is itself a switch turns it on, unless it was turned off in so many words.
function assign(input: Record<string, unknown>, [name, ...rest]: readonly string[], value: unknown): void {
  if (name === undefined) return;
  if (rest.length === 0) {
    input[name] = value;
    return;
  }
  const before = input[name];
  if (before === false) return;
  const group = typeof before === 'object' && before !== null ? (before as Record<string, unknown>) : {};
  input[name] = group;
  assign(group, rest, value);
}
