/**
 * Owns what the tests of the admin API set up: one of each kind of server, and the routes each of them really has. Everything is closed
 * when the test has finished. Refuses to assert anything.
 */
import { onTestFinished } from 'vitest';
import { ConnectionReceiver, LoadBalancer, ProxyServer, ReceiverServer } from '../../../src/index.js';
import type { AdminRoute } from '../../../src/server/admin/admin-route.js';
import { administration } from '../../../src/server/admin/administration.js';
import { serverRoutes } from '../../../src/server/admin/server-routes.js';
import { siteRoutes } from '../../../src/server/admin/site-routes.js';
import { type AdminAnswer, askAdmin } from './ask-admin.js';

/** The kinds of servers there are. */
export const KINDS = ['proxy', 'receiver', 'balancer'] as const;
export type Kind = (typeof KINDS)[number];
type AnyServer = ProxyServer | ReceiverServer | LoadBalancer;

interface Options {
  readonly listen?: string;
  readonly token?: string;
}

/** Makes a server of a kind, which is not started. */
export function createServer(kind: Kind, admin: Options = {}): AnyServer {
  const options = { listen: '127.0.0.1:0', admin: { listen: '127.0.0.1:0', ...admin } };
  if (kind === 'proxy') return new ProxyServer({ ...options, target: 'ws://127.0.0.1:9' });
  if (kind === 'receiver') return new ReceiverServer({ ...options, receiver: () => new ConnectionReceiver() });
  return new LoadBalancer({ ...options, backends: ['ws://127.0.0.1:9'], health: { check: 'off' } });
}

/** A server that runs, with an admin API of its own. */
export interface Administered {
  readonly server: AnyServer;
  /** Of its clients. */
  readonly port: number;
  /** Of its admin API. */
  readonly url: string;
  readonly exceptions: readonly unknown[];
  ask(method: string, path: string, body?: unknown): Promise<AdminAnswer>;
}

/** Starts a server of a kind. */
export async function startAdministered(kind: Kind, admin: Options = {}): Promise<Administered> {
  const server = createServer(kind, admin);
  const exceptions: unknown[] = [];
  server.on('exception', (error: unknown) => exceptions.push(error));
  onTestFinished(() => server.stop({ drainTimeout: 0 }));
  const [address] = await server.start();
  const url = server.adminUrl!;
  const headers = admin.token === undefined ? {} : { Authorization: `Bearer ${admin.token}` };
  const ask = (method: string, path: string, body?: unknown) => askAdmin(url, { method, path, body, headers });
  return { server, port: address!.port, url, exceptions, ask };
}

/** Every route of a server, as its admin API has them. */
export function routesOf(server: AnyServer): readonly AdminRoute[] {
  const own = server[administration]();
  return [...siteRoutes(new Map([[own.kind, own]])), ...serverRoutes(own)];
}

/** The path of a route with something in place of what stands in braces. */
export function pathOf({ path }: AdminRoute, id = 'conn-1'): string {
  return path.replaceAll(/\{\w+\}/g, encodeURIComponent(id));
}
