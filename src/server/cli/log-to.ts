/** Owns writing the events of a server to a logger of an application. Refuses to make one. */
import { LoadBalancer } from '../balancer/load-balancer.js';
import type { ProxyServer } from '../proxy-server.js';
import type { ReceiverServer } from '../receiver-server.js';
import type { EventLogger } from '../telemetry/logger.js';
import { logAgentEvents } from './agent-log.js';
import { logBalancerEvents } from './balancer-log.js';
import { logServerEvents } from './server-log.js';

/** Which lines there are beside those that there always are. */
export interface LogToOptions {
  /** Whether the line about a connection that opens is of level `info`; default false: of `debug`. */
  readonly opened?: boolean;
  /** How often a connection that is open for so long has a line with what it has carried. Milliseconds; default 0: never. */
  readonly every?: number;
}

/**
 * Writes what happens to a server to a logger, as the command line does: a line for each connection that ends, with its whole close
 * report, each refusal, and what goes wrong. Never header fields, queries or messages. To be called once, before the start.
 *
 * @param logger of pino, or with the same methods; the first argument holds the fields, of which `event` names what happened.
 */
export function logTo(
  server: ProxyServer | ReceiverServer | LoadBalancer,
  logger: EventLogger,
  options: LogToOptions = {},
): void {
  if (server instanceof LoadBalancer) {
    logServerEvents(server, logger, options);
    logBalancerEvents(server, logger);
    return;
  }
  logServerEvents(server, logger, options);
  if (server.agent !== undefined) logAgentEvents(server.agent, logger);
}
