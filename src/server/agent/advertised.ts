/** Owns what a server that registers itself says about where it is reached. Refuses to guess an address. */
import { TidegateError } from '../../receivers/errors.js';
import type { ListenerRole } from '../config/listen.js';
import { problemOfAdvertised } from '../dial/advertised-address.js';
import type { BoundAddress } from '../listener/listen-address.js';

/** A bound listener, and what it is for. */
export interface BoundListener {
  readonly address: BoundAddress;
  readonly role: ListenerRole;
}

/**
 * The addresses of the listeners for clients.
 *
 * @throws TidegateError `INVALID_OPTION` for one that nobody else reaches, with what to write instead.
 */
export function advertisedBy(listeners: readonly BoundListener[]): string[] {
  const urls = listeners.filter(({ role }) => role === 'client').map(({ address }) => urlOf(address));
  if (urls.length > 0) return urls;
  throw new TidegateError('INVALID_OPTION', `advertise: got 'auto', and there is no listener for clients; ${EXPECTED}`);
}

const EXPECTED =
  "expected the addresses by which the balancer and clients reach this server, such as advertise: ['ws://10.0.0.7:8080']";

function urlOf({ host, port, url }: BoundAddress): string {
  const [scheme] = url.split(':', 1);
  // What stands for every interface has another host in its URL.
  const own = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (problemOfAdvertised(own) === undefined) return own;
  throw new TidegateError(
    'INVALID_OPTION',
    `advertise: got 'auto', but the server listens on ${host}:${port}, which is no address that others reach; ${EXPECTED}`,
  );
}
