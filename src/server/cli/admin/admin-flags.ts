/** Owns the flags of the commands that ask a running server, and reading them. Refuses to ask. */
import type { Command } from 'commander';
import { parseListenText } from '../../config/listen.js';
import type { CliIo } from '../io.js';
import type { AdminTarget } from './admin-client.js';

const DEFAULT_URL = 'http://127.0.0.1:9090';

/** Adds the flags to a command. */
export function addAdminFlags(command: Command): Command {
  return command
    .option(
      '--admin <url>',
      `Where the admin API is: a URL, \`host:port\` or a port. (default: ${DEFAULT_URL}; env: TIDEGATE_ADMIN)`,
    )
    .option(
      '--token <secret>',
      'Its token; better in the environment, as everybody can read command lines. (env: TIDEGATE_ADMIN_TOKEN)',
    )
    .option('--server <name>', 'Which of the servers that it is for. (default: the first)');
}

/** Reads them; writes what is wrong and answers undefined then. */
export function readAdminFlags(
  { admin, token, server }: Readonly<Record<string, unknown>>,
  { env, stderr }: CliIo,
): AdminTarget | undefined {
  const isFlag = admin !== undefined;
  const text = String(admin ?? nonEmpty(env.TIDEGATE_ADMIN) ?? DEFAULT_URL);
  const url = urlOf(text);
  if (url === undefined) {
    const source = isFlag ? '--admin' : 'TIDEGATE_ADMIN';
    stderr.write(
      `tidegate: ${source}: got ${JSON.stringify(text)}; expected http://host:port, 'host:port' or a port\n`,
    );
    return undefined;
  }
  return {
    url,
    token: token === undefined ? nonEmpty(env.TIDEGATE_ADMIN_TOKEN) : String(token),
    server: server === undefined ? undefined : String(server),
  };
}

/** The variable of `admin.listen` is the same, so that what a server listens on will do. */
function urlOf(text: string): string | undefined {
  if (/^https?:\/\//i.test(text)) return URL.canParse(text) ? text.replace(/\/$/, '') : undefined;
  const { host = '127.0.0.1', port } = parseListenText(text) ?? {};
  if (port === undefined || port === 0) return undefined;
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
