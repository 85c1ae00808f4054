/** Owns `tidegate proxy`: one proxy from flags and environment. */
import type { Command } from 'commander';
import { cliProxySchema } from '../../config/file-schema.js';
import type { CliIo } from '../io.js';
import { servingCommand } from './serving-command.js';

const EXAMPLES = `
Durations are milliseconds or 500ms, 30s, 5m, 1h, 1d. Sizes are bytes or 64KiB, 1MiB, 16MB.
A flag wins over its environment variable. The flags for TLS are for every --listen; for plain and TLS at once, or several
proxies, use a file: tidegate run --help

Examples:
  tidegate proxy --listen 6080 --target tcp://127.0.0.1:5900
      a VNC server for noVNC in a browser, on every interface
  tidegate proxy --listen 127.0.0.1:8081 --target tcp://127.0.0.1:6379 --max-connections 100
      Redis over WebSocket, for this machine only
  tidegate proxy --listen 8080 --listen [::1]:8081 --target ws://127.0.0.1:3000/socket --idle-timeout 10m
      before a WebSocket application; silent clients are sent away after ten minutes
  tidegate proxy --listen 8443 --tls-cert app.pem --tls-key app.key --target ws://127.0.0.1:3000
      with TLS; a renewed certificate is taken when its files change, and on SIGHUP
  TIDEGATE_TARGET=wss://example.org/ tidegate proxy --log-format json
      settings from the environment, log lines for a machine
`;

/** Makes the command that runs one proxy from flags. */
export function proxyCommand(io: CliIo, finish: (code: number) => void): Command {
  return servingCommand(
    {
      name: 'proxy',
      description: 'Accepts WebSocket connections and forwards each to a target.',
      usage: '--target <url> [options]',
      examples: EXAMPLES,
      schema: cliProxySchema,
      create: async (options, logger, lines) => {
        const { createProxy } = await import('../create-server.js');
        return createProxy(options, logger, lines);
      },
    },
    io,
    finish,
  );
}
