/** Owns the server that forwards connections to a target. Refuses to do more than to name its options. */
import { type ProxyConfigInput, resolveProxyOptions } from './config/options.js';
import { ConnectionServer } from './connection-server.js';
import type { ReceiverFactory } from './connections/entrance.js';

/** The options of a {@link ProxyServer}: everything a configuration file may hold, and a receiver. */
export interface ProxyServerOptions extends ProxyConfigInput {
  /**
   * Makes the receiver of each connection. Default: a `ConnectionReceiver`, which lets everything pass on the
   * fastest data path.
   */
  readonly receiver?: ReceiverFactory;
}

/** Accepts WebSocket connections and forwards each to a WebSocket, TCP, TLS or Unix target. */
export class ProxyServer extends ConnectionServer {
  /** @throws TidegateError `INVALID_OPTION` that names every wrong option, its value and what would be right. */
  constructor(options: ProxyServerOptions = {}) {
    super(resolveProxyOptions(options, ['receiver']), true, options.receiver);
  }
}
