/** Owns how the addresses to listen on are written and read. Refuses to open them. */
import { isIPv6 } from 'node:net';
import { z } from 'zod';
import type { TlsConfig } from '../tls/tls-config.js';
import { described, type OptionMeta, optionalDuration } from './fields.js';
import { listenerTls, type TlsInput } from './listener-tls.js';
import type { Duration } from './units.js';

/** One address to listen on, with every part told apart. */
export interface ListenConfig {
  /** Undefined: every interface. */
  host: string | undefined;
  /** 0: any free port. */
  port: number;
  /** Given: the listener speaks `wss:`; false: `ws:`. Left out: as `tls` of the server says. */
  tls?: TlsConfig | false | undefined;
  /** With `tls`: clients that speak no TLS are taken too. Default false. */
  plain?: boolean | undefined;
  /** Whom the listener takes clients for. Default `websocket`. */
  protocol?: 'websocket' | 'tcp' | 'any' | undefined;
  /** Whether connections begin with a PROXY protocol header. Default `off`. */
  proxyProtocol?: 'off' | 'required' | 'optional' | undefined;
  /** Default: `client`. */
  role?: ListenerRole | undefined;
  // Default: as `socket` says, and `keepAlive`.
  backlog?: number | undefined;
  exclusive?: boolean | undefined;
  reusePort?: boolean | undefined;
  ipv6Only?: boolean | undefined;
  noDelay?: boolean | undefined;
  keepAlive?: number | undefined;
}

/** What a listener is for: `control` may use the room of `limits.reservedConnections`. */
export type ListenerRole = 'client' | 'control';

/** One address to listen on, as an option takes it: a port, `'port'`, `'host:port'`, `'[v6]:port'`, or an object. */
export type ListenInput =
  | number
  | string
  | (Omit<ListenConfig, 'host' | 'port' | 'tls' | 'keepAlive'> & {
      host?: string | undefined;
      port: number | string;
      tls?: TlsInput | false | undefined;
      keepAlive?: Duration | undefined;
    });

const ERROR =
  "expected a port (0 to 65535), 'host:port', '[v6]:port', an object with `port` and perhaps `host` and `tls`, or a list of those";
const PORT_ERROR = 'expected a port from 0 to 65535';

/** Reads `port`, `host:port` or `[v6]:port`. Answers undefined for anything else. */
export function parseListenText(text: string): ListenConfig | undefined {
  const match = /^(?:(?:\[([^\]]+)\]|([^\s:/[\]]+)):)?(\d{1,5})$/.exec(text.trim());
  if (match === null) return undefined;
  const port = Number(match[3]);
  if (port > 65535 || (match[1] !== undefined && !isIPv6(match[1]))) return undefined;
  return { host: match[1] ?? match[2], port };
}

/** Writes an address the way {@link parseListenText} reads it. */
export function formatListen({ host, port }: ListenConfig): string {
  if (host === undefined) return String(port);
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

const port = z.union(
  [
    z.int({ error: PORT_ERROR }).min(0, { error: PORT_ERROR }).max(65535, { error: PORT_ERROR }),
    z.string().regex(/^\d{1,5}$/, { error: PORT_ERROR }),
  ],
  { error: PORT_ERROR },
);

function word<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: `expected ${words.map((one) => `'${one}'`).join(' or ')}` }).optional();
}
const BACKLOG_ERROR = 'expected a whole number from 1 to 65535';
const ownSwitch = (description: string) =>
  z.boolean({ error: 'expected true or false' }).optional().meta({ description });

const hostError = 'expected a host name or an IP address';
const endpoint = z.union(
  [
    port,
    z.string({ error: ERROR }),
    z.strictObject({
      /** The interface to bind; left out: every interface. */
      host: z
        .string({ error: hostError })
        .regex(/^[^\s/[\]]+$/, { error: hostError })
        .optional()
        .meta({ description: 'The interface to bind; left out: every interface.' }),
      /** The port; 0 takes any free one. */
      port: port.meta({ description: 'The port; 0 takes any free one.' }),
      /** The TLS settings of this listener, or false for none; left out: those of `tls`. */
      tls: z
        .union([z.literal(false), listenerTls], { error: 'expected TLS settings, such as { key, cert }, or false' })
        .optional()
        .meta({ description: 'The TLS settings of this listener, or false for none; left out: those of `tls`.' }),
      /** With `tls`: whether clients that speak no TLS are taken on the same port. */
      plain: z
        .boolean({ error: 'expected true or false' })
        .optional()
        .meta({ description: 'With `tls`: whether clients that speak no TLS are taken on the same port.' }),
      /** What clients are: `websocket`, plain `tcp` from the first byte on, or `any`, whichever their first bytes say. */
      protocol: word(['websocket', 'tcp', 'any']).meta({
        description:
          'What clients are: `websocket`, plain `tcp` from the first byte on, or `any`, whichever their first bytes say.',
      }),
      /** Whether connections begin with a PROXY protocol header, version 1 or 2, which is believed of trusted proxies only: `off`, `required` or `optional`. */
      proxyProtocol: word(['off', 'required', 'optional']).meta({
        description:
          'Whether connections begin with a PROXY protocol header, version 1 or 2, which is believed of trusted proxies only: `off`, `required` or `optional`.',
      }),
      /** What connects here: `control` may use the room of `limits.reservedConnections`. */
      role: z.enum(['client', 'control'], { error: "expected 'client' or 'control'" }).optional().meta({
        description: 'What connects here: `control` may use the room of `limits.reservedConnections`.',
      }),
      /** As `socket.backlog`. */
      backlog: z
        .int({ error: BACKLOG_ERROR })
        .min(1, { error: BACKLOG_ERROR })
        .max(65_535, { error: BACKLOG_ERROR })
        .optional()
        .meta({ description: 'As `socket.backlog`.' }),
      /** As `socket.exclusive`. */
      exclusive: ownSwitch('As `socket.exclusive`.'),
      /** As `socket.reusePort`. */
      reusePort: ownSwitch('As `socket.reusePort`.'),
      /** As `socket.ipv6Only`. */
      ipv6Only: ownSwitch('As `socket.ipv6Only`.'),
      /** As `socket.noDelay`. */
      noDelay: ownSwitch('As `socket.noDelay`.'),
      /** As `keepAlive`. */
      keepAlive: optionalDuration({ description: 'As `keepAlive`.', flag: false }),
    }),
  ],
  { error: ERROR },
);

type Endpoint = z.output<typeof endpoint>;

function resolve(value: Endpoint, path: PropertyKey[], context: z.RefinementCtx): ListenConfig {
  const isObject = typeof value === 'object';
  const parsed = parseListenText(String(isObject ? value.port : value));
  if (parsed === undefined) {
    const issue = isObject ? { message: PORT_ERROR, path: [...path, 'port'] } : { message: ERROR, path };
    context.addIssue({ code: 'custom', input: value, ...issue });
    return z.NEVER;
  }
  if (!isObject) return parsed;
  if (value.plain === true && value.tls === false) {
    const message = 'expected TLS settings beside `plain: true`: without TLS every client is plain';
    context.addIssue({ code: 'custom', message, input: value.plain, path: [...path, 'plain'] });
    return z.NEVER;
  }
  // As it was given, so that what was left out is not there: what is resolved twice stays the same.
  return { ...value, host: value.host, port: parsed.port };
}

/** The option that says where to listen; resolves to a list. */
export function listen(meta: OptionMeta & { readonly default: string }) {
  const schema = z
    .union([endpoint, z.array(endpoint).min(1, { error: ERROR })], { error: ERROR })
    .transform((value, context): ListenConfig[] =>
      Array.isArray(value) ? value.map((one, index) => resolve(one, [index], context)) : [resolve(value, [], context)],
    ) as unknown as z.ZodType<ListenConfig[], ListenInput | readonly ListenInput[]>;
  return described(schema.prefault(meta.default), 'list', meta);
}
