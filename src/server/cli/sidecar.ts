/** Owns making a logged registration for a backend that stands beside. Only `tidegate register` loads it: other commands answer sooner. */
import { BackendAgent } from '../agent/backend-agent.js';
import { Presence } from '../agent/presence.js';
import type { SidecarConfig } from '../config/sidecar.js';
import type { Logger } from '../telemetry/logger.js';
import { logAgentEvents } from './agent-log.js';
import type { Servable } from './serve.js';

/** Registers a backend for as long as it runs, and, where that is checked, while the backend is there. */
export class Sidecar implements Servable {
  readonly agent: BackendAgent;
  /** Resolves when no balancer is tried any more. */
  readonly over: Promise<string>;
  readonly #presence: Presence | undefined;

  constructor({ check, ...options }: SidecarConfig, logger: Logger) {
    const { target, interval } = check;
    this.agent = new BackendAgent({ ...options, ready: target === undefined });
    logAgentEvents(this.agent, logger);
    this.over = new Promise((resolve) => {
      this.agent.once('stopped', () => resolve('no balancer is tried any more'));
    });
    if (target === undefined) return;
    this.#presence = new Presence({
      target,
      interval,
      changed: (isThere) => {
        const line = { event: 'backend.check', target, present: isThere };
        if (isThere) logger.info(line, `the backend is there: ${target}`);
        else logger.warn(line, `the backend is not there: ${target}`);
        if (isThere) this.agent.resume();
        else this.agent.drain();
      },
    });
  }

  start(): Promise<[]> {
    this.agent.start();
    this.#presence?.start();
    return Promise.resolve([]);
  }

  stop(): Promise<void> {
    this.#presence?.stop();
    return this.agent.stop();
  }
}
