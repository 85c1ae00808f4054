/** Owns the options of an admin API that is not of one server only, and what is wrong with them. Refuses to listen. */
import { TidegateError } from '../../receivers/index.js';
import { admin } from '../config/admin.js';
import { findProblems, formatProblem } from '../config/problems.js';
import { showValue } from '../config/show-value.js';
import { type Administered, type Administration, administration } from './administration.js';

/** The options of an `AdminServer`. */
export interface AdminServerOptions {
  /** Where it listens: a port (of this machine only), `host:port` or `[v6]:port`. */
  readonly listen: number | string;
  /** What has to be shown to it, at least 16 characters. May be left out on an address of this machine only. */
  readonly token?: string | undefined;
  /** The servers it is for, by the names they have there. The first one is meant where no `?server=` says which. */
  readonly servers: Readonly<Record<string, Administered>>;
  /** Told what went wrong with the listener, or inside of a route. Default: nobody is. */
  readonly exception?: ((error: unknown) => void) | undefined;
}

/** The options, checked. */
export interface AdminServerConfig {
  /** `host:port` or `[v6]:port`. */
  readonly listen: string;
  readonly token: string | undefined;
  readonly servers: ReadonlyMap<string, Administration>;
  exception(error: unknown): void;
}

const LISTEN = "expected a port, 'host:port' or '[v6]:port'";
const SERVERS = 'expected servers by their names, such as { web: proxy }';
const SERVER = 'expected a ProxyServer, a ReceiverServer or a LoadBalancer';

/** @throws TidegateError `INVALID_OPTION` that names every wrong option, its value and what would be right. */
export function resolveAdminOptions(options: AdminServerOptions): AdminServerConfig {
  const { servers, exception, ...rest } = Object(options) as AdminServerOptions;
  const { value, problems } = findProblems(admin, rest);
  const messages = problems.map((problem) => formatProblem(problem));
  const { listen, token } = value ?? {};
  if (rest.listen === undefined) messages.push(`listen: got nothing; ${LISTEN}`);
  messages.push(...problemsOfServers(servers));
  if (exception !== undefined && typeof exception !== 'function') {
    messages.push(`exception: got ${showValue(exception, ['exception'])}; expected a function`);
  }
  if (messages.length > 0 || listen === undefined) throw new TidegateError('INVALID_OPTION', messages.join('; '));
  return {
    listen,
    token,
    servers: new Map(Object.entries(servers).map(([name, server]) => [name, server[administration]()])),
    exception: (error) => {
      try {
        exception?.(error);
      } catch {
        // Nobody else is there to be told.
      }
    },
  };
}

function problemsOfServers(servers: unknown): string[] {
  const isObject = typeof servers === 'object' && servers !== null && !Array.isArray(servers);
  const entries = isObject && !isAdministered(servers) ? Object.entries(servers as object) : [];
  if (entries.length === 0) {
    const got = isAdministered(servers) ? 'a server' : showValue(servers, ['servers']);
    return [`servers: got ${got}; ${SERVERS}`];
  }
  const names = new Map<unknown, string>();
  return entries.flatMap(([name, server]) => {
    const option = `servers[${JSON.stringify(name)}]`;
    if (name === '') return [`${option}: expected a name that is not empty`];
    if (!isAdministered(server)) return [`${option}: got ${showValue(server, ['servers', name])}; ${SERVER}`];
    const other = names.get(server);
    names.set(server, name);
    if (other === undefined) return [];
    return [`${option}: got the server that is called ${JSON.stringify(other)} already; expected each one once`];
  });
}

function isAdministered(value: unknown): value is Administered {
  return typeof value === 'object' && value !== null && administration in value;
}
