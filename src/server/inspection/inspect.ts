/** Owns showing servers in the Stately inspector, for whoever develops with them. Refuses to be the relay or the page; those are others'. */
import { TidegateError } from '../../receivers/index.js';
import { type Administered, administration } from '../admin/administration.js';
import { isOwnAddress, ownAddress, readRelayAddress } from './relay-address.js';
import { RelayClient } from './relay-client.js';

/** Each may have to be told to the relay again before it has forgotten another one. */
const MOST_ACTORS = 150;

/** How servers are shown. */
export interface InspectOptions {
  /** Where the relay of `@statelyai/inspect` listens, such as `ws://localhost:8080`. */
  readonly stately: string | URL;
  /** Whether the relay may be on another machine; it shows everyone who reaches it what it gets. Default false. */
  readonly remote?: boolean | undefined;
  /** How many actors of each server are shown at a time, the newest: from 4 on, and at most 150 of all servers together. Default 40, or as many as fit. */
  readonly maxActors?: number | undefined;
  /** Frames that are sent each second for each server at most, from 1 on; of what is more the newest snapshots stay. Default 100. */
  readonly framesPerSecond?: number | undefined;
  /** Whether routine steps are shown: heartbeats, and progress of slow writes. Default false. */
  readonly heartbeats?: boolean | undefined;
  /** Called when the relay is connected. */
  onConnected?(): void;
  /** Called once when the relay is lost or cannot be had; it is dialled again, again and again. */
  onDisconnected?(reason: string): void;
}

/** Servers that are being shown. */
export interface Inspection {
  /** Whether the relay is connected. */
  readonly connected: boolean;
  /** Ends it. Resolves when nothing is left. */
  stop(): Promise<void>;
}

/**
 * Shows the charts of one or several servers in the Stately inspector, live: supervisor, connections, upstreams, pool and backends. Dials
 * its relay until it is stopped, and never keeps the process alive. While no relay is connected it costs nothing.
 *
 * @param servers one server, or several by the names that stand before those of their actors.
 * @throws TidegateError `INVALID_OPTION`.
 */
export function inspect(
  servers: Administered | Readonly<Record<string, Administered>>,
  options: InspectOptions,
): Inspection {
  const { stately, remote, heartbeats } = options;
  const url = readRelayAddress(String(stately), remote);
  const named = isServer(servers) ? [['', servers] as const] : Object.entries(servers);
  const limits = readLimits(options, named.length);
  const client = new RelayClient({
    url,
    sources: named.map(([name, server]) => ({
      hub: server[administration]().observation.inspection,
      options: { ...limits, heartbeats: heartbeats ?? false, prefix: name === '' ? '' : `${name} ` },
    })),
    refusal: () => {
      const listening = named.flatMap(([, server]) => server[administration]().verbs.addresses.map(addressOf));
      return isOwnAddress(url, listening) ? ownAddress(url) : undefined;
    },
    connected: () => options.onConnected?.(),
    disconnected: (reason) => options.onDisconnected?.(reason),
  });
  return {
    get connected() {
      return client.isConnected;
    },
    stop: () => client.stop(),
  };
}

function readLimits({ maxActors, framesPerSecond = 100 }: InspectOptions, servers: number) {
  if (
    maxActors !== undefined &&
    !(Number.isInteger(maxActors) && maxActors >= 4 && maxActors * servers <= MOST_ACTORS)
  ) {
    const message = `maxActors: got ${maxActors}; expected a whole number from 4 on, and at most ${MOST_ACTORS} for all servers together: the relay keeps 200 messages`;
    throw new TidegateError('INVALID_OPTION', message);
  }
  if (!(framesPerSecond >= 1 && framesPerSecond <= 10_000)) {
    throw new TidegateError('INVALID_OPTION', `framesPerSecond: got ${framesPerSecond}; expected 1 to 10000`);
  }
  const fitting = Math.max(4, Math.min(40, Math.floor(MOST_ACTORS / servers)));
  return { maxActors: maxActors ?? fitting, framesPerSecond };
}

function isServer(servers: Administered | Readonly<Record<string, Administered>>): servers is Administered {
  return administration in servers;
}

function addressOf({ url }: { readonly url: string }): { host: string; port: number } {
  const { hostname, port, protocol } = new URL(url);
  const ofScheme = protocol === 'wss:' || protocol === 'https:' ? 443 : 80;
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? ofScheme : Number(port) };
}
