/** Owns the server that forwards connections to a target. Refuses to do more than to name its options. */
import type { BackendAgent } from './agent/backend-agent.js';
import { Registering } from './agent/registering.js';
import { type ProxyConfigInput, resolveProxyOptions } from './config/options.js';
import { ConnectionServer } from './connection-server.js';
import type { Group } from './group/group.js';
import { HOOK_NAMES, type ServerHooks } from './hooks.js';

/** The options of a {@link ProxyServer}: everything a configuration file may hold, and what only code can give. */
export interface ProxyServerOptions extends ProxyConfigInput, ServerHooks {}

/** Accepts WebSocket connections and forwards each to a WebSocket, TCP, TLS or Unix target. */
export class ProxyServer extends ConnectionServer {
  /** The registration with balancers; undefined without the option `register`. The same for the life of the server. */
  readonly agent: BackendAgent | undefined;
  /** The clients of its balancers and of all their backends; undefined without the option `register`. */
  readonly group: Group | undefined;

  /** @throws TidegateError `INVALID_OPTION` that names every wrong option, its value and what would be right. */
  constructor(options: ProxyServerOptions = {}) {
    const config = resolveProxyOptions(options, HOOK_NAMES);
    const registering = new Registering(config);
    super(config, options, { name: 'proxy', needsTarget: true, extend: registering.extend });
    this.agent = registering.agent;
    this.group = this.agent?.group;
  }
}
