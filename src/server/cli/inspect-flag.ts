/** Owns the flag `--inspect`, which shows servers in the Stately inspector while they run. Refuses to know how. */
import { Option } from 'commander';
import { describeError } from '../../receivers/errors.js';
import type { Administered } from '../admin/administration.js';
import type { ListenConfig } from '../config/listen.js';
import type { Inspection } from '../inspection/inspect.js';
import { DEFAULT_RELAY, isOwnAddress, ownAddress, readRelayAddress } from '../inspection/relay-address.js';
import type { Logger } from '../telemetry/logger.js';
import type { CliIo } from './io.js';

const GROUP = 'Inspector:';
const VARIABLE = 'TIDEGATE_INSPECT';

/** The flags of every command that runs servers. */
export function inspectFlags(): Option[] {
  return [
    new Option(
      '--inspect [url]',
      `Shows the charts in the Stately inspector: the address of the relay of @statelyai/inspect. (default: off, ${DEFAULT_RELAY} without a url; env: ${VARIABLE})`,
    ).helpGroup(GROUP),
    new Option('--inspect-remote', 'The relay may be on another machine. (default: false)').helpGroup(GROUP),
  ];
}

/** What the flags say. */
export interface InspectFlags {
  readonly url: URL;
  readonly remote: boolean;
}

/**
 * Reads the flags. Writes what is wrong with them.
 *
 * @param listening where the servers are going to listen.
 * @returns undefined when there is nothing to be shown, and `wrong` for what cannot be used.
 */
export function readInspect(
  { inspect: flag, inspectRemote }: Readonly<Record<string, unknown>>,
  io: CliIo,
  listening: Iterable<ListenConfig> = [],
): InspectFlags | undefined | 'wrong' {
  const variable = io.env[VARIABLE] === '' ? undefined : io.env[VARIABLE];
  const given = flag ?? variable;
  if (given === undefined || given === false) return undefined;
  const remote = inspectRemote === true;
  const source = flag === undefined ? VARIABLE : '--inspect';
  try {
    const url = readRelayAddress(given === true ? DEFAULT_RELAY : String(given), remote);
    if (!isOwnAddress(url, listening)) return { url, remote };
    io.stderr.write(`tidegate: ${source}: got ${JSON.stringify(url.href)}; ${ownAddress(url)}\n`);
  } catch (error) {
    const said = describeError(error)
      .replace(/^stately: /, '')
      .replace('`remote: true`', '--inspect-remote');
    io.stderr.write(`tidegate: ${source}: ${said}\n`);
  }
  return 'wrong';
}

/** Begins to show servers, if they are to be shown. To be called when they listen. */
export async function beginInspecting(
  flags: InspectFlags | undefined,
  servers: Administered | Readonly<Record<string, Administered>>,
  logger: Logger,
): Promise<Inspection | undefined> {
  if (flags === undefined) return undefined;
  const { inspect } = await import('../inspection/inspect.js');
  const { url, remote } = flags;
  const page = `http://${url.host}`;
  return inspect(servers, {
    stately: url,
    remote,
    onConnected: () => {
      const line = { event: 'inspector.connected', url: url.href };
      logger.info(line, `shown in the Stately inspector; its page is ${page}`);
    },
    onDisconnected: (reason) => {
      const line = { event: 'inspector.disconnected', url: url.href, reason };
      logger.warn(line, `no relay of the Stately inspector at ${url.href} (${reason}); trying again`);
    },
  });
}
