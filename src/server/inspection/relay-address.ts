/** Owns where the relay of an inspector may be. Refuses to dial it. */
import { TidegateError } from '../../receivers/index.js';
import { isLoopback } from '../dial/advertised-address.js';

/** Where the relay of `@statelyai/inspect` listens unless told otherwise. */
export const DEFAULT_RELAY = 'ws://localhost:8080';

/**
 * Reads the address of a relay.
 *
 * @param mayBeRemote whether it may be on another machine, which then sees what is shown.
 * @throws TidegateError `INVALID_OPTION`.
 */
export function readRelayAddress(text: string, mayBeRemote = false): URL {
  const expected = `got ${JSON.stringify(text)}; expected the address of a relay of @statelyai/inspect, such as ${DEFAULT_RELAY}`;
  if (!URL.canParse(text)) throw new TidegateError('INVALID_OPTION', `stately: ${expected}`);
  const url = new URL(text);
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') {
    throw new TidegateError('INVALID_OPTION', `stately: ${expected}`);
  }
  if (!mayBeRemote && !isLoopback(hostOf(url))) {
    const message = `stately: got ${JSON.stringify(text)}; expected an address of this machine: the relay shows everyone who reaches it what it gets (\`remote: true\` allows it)`;
    throw new TidegateError('INVALID_OPTION', message);
  }
  return url;
}

/** Whether a server that is watched listens there itself: it would be sent frames about the frames. */
export function isOwnAddress(
  url: URL,
  listening: Iterable<{ readonly host?: string | undefined; readonly port: number }>,
): boolean {
  const port = url.port === '' ? (url.protocol === 'wss:' ? 443 : 80) : Number(url.port);
  if (!isLoopback(hostOf(url))) return false;
  for (const own of listening) {
    const isHere = own.host === undefined || isLoopback(own.host) || own.host === '::' || own.host === '0.0.0.0';
    if (isHere && own.port === port) return true;
  }
  return false;
}

/** What is said when a server that is to be shown listens where the relay should be. */
export function ownAddress(url: URL): string {
  return `the server itself listens on ${url.host}, where the relay of the inspector is expected; start one of them on another port, such as createInspectorServer({ port: 8090 }), and give the address of the relay`;
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
