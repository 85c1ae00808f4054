/** Owns the log lines of a backend's registration with balancers. Refuses to register anyone. */
import { describeError } from '../../receivers/errors.js';
import type { BackendAgent } from '../agent/backend-agent.js';
import type { EventLogger } from '../telemetry/logger.js';

/** Logs every event of an agent. */
export function logAgentEvents(agent: BackendAgent, logger: EventLogger): void {
  const { id: backend } = agent;
  agent.on('balancer.connected', ({ url, generation }) => {
    const line = { event: 'balancer.connected', backend, balancer: url, generation };
    logger.info(line, `registered with ${url} as ${backend}`);
  });
  agent.on('balancer.disconnected', ({ url, state }, code, reason) => {
    const line = { event: 'balancer.disconnected', backend, balancer: url, state, code, reason };
    // One that was left is as it should be.
    const level = state === 'stopped' && code === 1000 ? 'info' : 'warn';
    logger[level](line, `the channel to ${url} ended: ${code}${reason === '' ? '' : ` ${reason}`}`);
  });
  agent.on('balancer.error', ({ url, state }, { code, message, help }) => {
    const line = { event: 'balancer.error', backend, balancer: url, state, code, detail: message, help };
    logger.error(line, message);
  });
  agent.on('balancer.state', ({ url }, state) => {
    logger.info({ event: 'balancer.state', backend, balancer: url, state }, `${url} takes ${backend} for ${state}`);
  });
  agent.on('exception', (error) => {
    const detail = describeError(error);
    logger.error({ event: 'exception', backend, detail }, `a listener threw: ${detail}`);
  });
}
