/** Owns making a logged server from validated options. Only the commands that serve load it: the others answer sooner. */
import { LoadBalancer } from '../balancer/load-balancer.js';
import type { BalancerConfigInput } from '../config/balancer/options.js';
import type { ProxyConfigInput } from '../config/options.js';
import { ProxyServer } from '../proxy-server.js';
import type { Logger } from '../telemetry/logger.js';
import { logAgentEvents } from './agent-log.js';
import { logBalancerEvents } from './balancer-log.js';
import { logServerEvents } from './server-log.js';

/** Makes a proxy whose events become log lines. */
export function createProxy(options: ProxyConfigInput, logger: Logger): ProxyServer {
  const server = new ProxyServer(options);
  logServerEvents(server, logger);
  if (server.agent !== undefined) logAgentEvents(server.agent, logger);
  return server;
}

/** Makes a balancer whose events become log lines. */
export function createBalancer(options: BalancerConfigInput, logger: Logger): LoadBalancer {
  const server = new LoadBalancer(options);
  logServerEvents(server, logger);
  logBalancerEvents(server, logger);
  return server;
}
