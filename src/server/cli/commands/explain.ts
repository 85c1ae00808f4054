/** Owns `tidegate explain`. Refuses to explain: the running server does. */
import { Command } from 'commander';
import { TidegateError } from '../../../receivers/errors.js';
import { printable } from '../../telemetry/printable.js';
import { AdminClient } from '../admin/admin-client.js';
import { addAdminFlags, readAdminFlags } from '../admin/admin-flags.js';
import { reportProblem } from '../admin/report-problem.js';
import { type CliIo, EXIT } from '../io.js';

const EXAMPLES = `
The id is that of the log lines, of the admin API and of tidegate top. Connections that ended lately, and handshakes that were
refused, can be explained, too.

Examples:
  tidegate explain conn-7
  tidegate explain conn-7 --admin http://10.0.0.5:9090 --server chat
  tidegate explain conn-7 --json | jq .deadlines

Exit codes: 0 it was explained; 1 there is no such connection, or no answer; 2 the command line is wrong.
`;

const NEAR = 5;

/** Makes the command that says why a connection of a running server is where it is. */
export function explainCommand(io: CliIo, finish: (code: number) => void): Command {
  const command = new Command('explain')
    .description(
      'Says why a connection of a running server is in its state: since when, until when, what it waits for.',
    )
    .argument('<id>', 'The id of the connection, such as conn-7.')
    .option('--json', 'Writes everything that is known as JSON.')
    .addHelpText('after', EXAMPLES);
  return addAdminFlags(command).action(async (id: string, values: Record<string, unknown>) => {
    const target = readAdminFlags(values, io);
    if (target === undefined) {
      finish(EXIT.misconfigured);
      return;
    }
    const client = new AdminClient(target);
    try {
      const explanation = await client.get(`/api/v1/connections/${encodeURIComponent(id)}/explain`);
      io.stdout.write(values.json === true ? `${JSON.stringify(explanation, null, 2)}\n` : textOf(explanation));
      finish(EXIT.ok);
    } catch (error) {
      const isUnknown = error instanceof TidegateError && error.code === 'UNKNOWN_CONNECTION';
      finish(reportProblem(error, io, isUnknown ? await others(client, id) : []));
    }
  });
}

/** As it came, but for what a terminal would act on: it may come from anybody who answers there. */
function textOf(explanation: unknown): string {
  const { text } = explanation as { text?: unknown };
  return `${String(text).trimEnd().split('\n').map(printable).join('\n')}\n`;
}

/** Which ids there are in place of one that there is not. */
async function others(client: AdminClient, id: string): Promise<string[]> {
  try {
    const near = await idsOf(client, { search: id.slice(0, 100), limit: String(NEAR) });
    if (near.ids.length > 0) return [`Did you mean ${near.ids.join(', ')}?`];
    const { ids, matched } = await idsOf(client, { limit: String(NEAR) });
    if (ids.length === 0) return ['There are no connections now.'];
    return [`There are ${matched}, such as ${ids.join(', ')}; tidegate top lists them.`];
  } catch {
    return [];
  }
}

async function idsOf(client: AdminClient, query: Record<string, string>): Promise<{ ids: string[]; matched: number }> {
  const { connections, matched } = (await client.get('/api/v1/connections', query)) as {
    connections: { id: string }[];
    matched: number;
  };
  return { ids: connections.map(({ id }) => String(id)), matched };
}
