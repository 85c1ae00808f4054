/** Owns `tidegate balance`: one load balancer from flags and environment. */
import type { Command } from 'commander';
import { cliBalancerSchema } from '../../config/file-schema.js';
import type { CliIo } from '../io.js';
import { servingCommand } from './serving-command.js';

const EXAMPLES = `
Durations are milliseconds or 500ms, 30s, 5m, 1h, 1d. Sizes are bytes or 64KiB, 1MiB, 16MB.
A flag wins over its environment variable. Secrets belong into the environment (TIDEGATE_CONTROL_TOKEN,
TIDEGATE_AFFINITY_SECRET, TIDEGATE_ADMIN_TOKEN): everybody on a machine can read its command lines. For weights and capacities
of backends, a listener of its own for control channels, or several balancers, use a file: tidegate run --help

Examples:
  tidegate balance --listen 8080 --backend ws://10.0.0.1:3000 --backend ws://10.0.0.2:3000
      two backends that speak WebSocket; each client goes to the one with the fewest connections
  tidegate balance --listen 8080 --backend ws://a:3000 --backend ws://b:3000 --affinity cookie --health-check websocket
      clients come back to the backend they had; each backend is asked for a WebSocket handshake and a pong every 5 seconds
  tidegate balance --listen 6080 --backend tcp://10.0.0.1:5900 --backend tcp://10.0.0.2:5900 --policy random
      two VNC servers for noVNC in a browser
  tidegate balance --listen 8080 --discover ws://chat.internal:3000/
      every address that the name has is a backend
  TIDEGATE_CONTROL_TOKEN=a-secret-of-16-letters tidegate balance --listen 8080 --control-path /.tidegate/control
      backends register themselves, with the same secret
  tidegate balance --listen 8080 --backend ws://a:3000 --admin 9090
      with the admin API for this machine: curl http://127.0.0.1:9090/api/v1/backends
`;

/** Makes the command that runs one balancer from flags. */
export function balanceCommand(io: CliIo, finish: (code: number) => void): Command {
  return servingCommand(
    {
      name: 'balance',
      description: 'Accepts WebSocket connections and HTTP requests and spreads them over backends.',
      usage: '--backend <url> [--backend <url>] [options]',
      examples: EXAMPLES,
      schema: cliBalancerSchema,
      create: async (options, logger, lines) => {
        const { createBalancer } = await import('../create-server.js');
        return createBalancer(options, logger, lines);
      },
    },
    io,
    finish,
  );
}
