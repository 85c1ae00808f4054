/** Owns the server without a target, whose receivers are the application. Refuses to do more than to name its options. */
import type { BackendAgent } from './agent/backend-agent.js';
import { Registering } from './agent/registering.js';
import { type ProxyConfigInput, resolveProxyOptions } from './config/options.js';
import { ConnectionServer } from './connection-server.js';
import type { ReceiverFactory } from './connections/entrance.js';
import type { Group } from './group/group.js';
import { HOOK_NAMES, type ServerHooks } from './hooks.js';

/** The options of a {@link ReceiverServer}. */
export interface ReceiverServerOptions
  extends Omit<
      ProxyConfigInput,
      'target' | 'connectUpstream' | 'frameType' | 'halfClose' | 'warmConnections' | 'upstreamTls'
    >,
    ServerHooks {
  /** Makes the receiver of each connection. */
  readonly receiver: ReceiverFactory;
}

/** Accepts WebSocket connections for receivers that answer themselves. One may still give its connection a target. */
export class ReceiverServer extends ConnectionServer {
  /** The registration with balancers; undefined without the option `register`. The same for the life of the server. */
  readonly agent: BackendAgent | undefined;
  /** The clients of its balancers and of all their backends; undefined without the option `register`. */
  readonly group: Group | undefined;

  /** @throws TidegateError `INVALID_OPTION` that names every wrong option, its value and what would be right. */
  constructor(options: ReceiverServerOptions) {
    const config = resolveProxyOptions(options, HOOK_NAMES);
    const registering = new Registering(config);
    super(config, options, { name: 'receiver', needsTarget: false, extend: registering.extend });
    this.agent = registering.agent;
    this.group = this.agent?.group;
  }
}
