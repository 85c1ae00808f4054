/** Owns the admin API that a server has by its option `admin`. Refuses to serve it. */
import type { ProxyConfig } from '../config/options.js';
import type { AdminServerOptions } from './admin-options.js';
import { AdminServer } from './admin-server.js';

/** The admin API of one server; undefined where its options name no place for one. */
export function ownAdmin(
  { listen, token }: ProxyConfig['admin'],
  servers: AdminServerOptions['servers'],
  exception: (error: unknown) => void,
): AdminServer | undefined {
  return listen === undefined ? undefined : new AdminServer({ listen, token, servers, exception });
}
