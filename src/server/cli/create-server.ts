/** Owns making logged servers from validated options. Only the commands that serve load it: the others answer sooner. */

import { describeError } from '../../receivers/errors.js';
import { AdminServer } from '../admin/admin-server.js';
import type { Administered } from '../admin/administration.js';
import { LoadBalancer } from '../balancer/load-balancer.js';
import type { AdminConfig } from '../config/admin.js';
import type { BalancerConfigInput } from '../config/balancer/options.js';
import type { ProxyConfigInput } from '../config/options.js';
import { ProxyServer } from '../proxy-server.js';
import type { Logger } from '../telemetry/logger.js';
import { logTo } from './log-to.js';
import type { LogLines } from './server-log.js';

/** What is looked at to warn. */
type AdminOptions = NonNullable<ProxyConfigInput['admin']>;

/** Makes a proxy whose events become log lines. */
export function createProxy(options: ProxyConfigInput, logger: Logger, lines: LogLines = {}): ProxyServer {
  const server = new ProxyServer(options);
  warnOfOpenAdmin(options.admin, logger);
  logTo(server, logger, lines);
  return server;
}

/** Makes a balancer whose events become log lines. */
export function createBalancer(options: BalancerConfigInput, logger: Logger, lines: LogLines = {}): LoadBalancer {
  const server = new LoadBalancer(options);
  warnOfOpenAdmin(options.admin, logger);
  logTo(server, logger, lines);
  return server;
}

/** Makes the admin API of several servers together; undefined when nothing says where. */
export function createAdmin(
  { listen, token }: AdminConfig,
  servers: ReadonlyMap<string, Administered>,
  logger: Logger,
): AdminServer | undefined {
  if (listen === undefined) return undefined;
  warnOfOpenAdmin({ listen, token }, logger);
  const exception = (error: unknown) => {
    const detail = describeError(error);
    logger.error({ event: 'exception', detail }, `the admin API: ${detail}`);
  };
  return new AdminServer({ listen, token, servers: Object.fromEntries(servers), exception });
}

/** Whoever shares the machine shares an admin API without a token: that is to be meant. */
function warnOfOpenAdmin({ listen, token }: AdminOptions = {}, logger: Logger): void {
  if (listen === undefined || token !== undefined) return;
  const message = `the admin API on ${listen} has no token: every user and program of this machine may use it; TIDEGATE_ADMIN_TOKEN sets one`;
  logger.warn({ event: 'admin.open', admin: listen }, message);
}
