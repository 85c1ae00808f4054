/** Owns making a logged proxy from validated options. Only the commands that serve load it: the others answer sooner. */
import type { ProxyConfig } from '../config/options.js';
import { ProxyServer } from '../proxy-server.js';
import type { Logger } from '../telemetry/logger.js';
import { logAgentEvents } from './agent-log.js';
import type { Servable } from './serve.js';
import { logServerEvents } from './server-log.js';

/** Makes a proxy whose events become log lines. */
export function createProxy(options: ProxyConfig, logger: Logger): Servable {
  const server = new ProxyServer(options);
  logServerEvents(server, logger);
  if (server.agent !== undefined) logAgentEvents(server.agent, logger);
  return server;
}
