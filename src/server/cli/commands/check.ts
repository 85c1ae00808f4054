/** Owns `tidegate check`. */
import { Command } from 'commander';
import { examineConfig } from '../../config/load.js';
import type { ProxyConfig } from '../../config/options.js';
import { readContexts, warningsAbout } from '../../tls/context-set.js';
import { type CliIo, EXIT } from '../io.js';

/** Makes the command that says what is wrong with a configuration file. */
export function checkCommand(io: CliIo, finish: (code: number) => void): Command {
  return new Command('check')
    .description('Says everything that is wrong with a configuration file, with lines, and starts nothing.')
    .requiredOption('--config <file>', 'The file, YAML or JSON.')
    .addHelpText(
      'after',
      `
Examples:
  tidegate check --config tidegate.yaml

Exit codes: 0 the file can be used; 2 it cannot.
`,
    )
    .action(async ({ config: file }: { config: string }) => {
      const { config, problems } = await examineConfig(file);
      for (const { message } of problems) io.stdout.write(`${message}\n`);
      if (config === undefined) {
        io.stdout.write(`${problems.length} problem${problems.length === 1 ? '' : 's'}\n`);
        finish(EXIT.misconfigured);
        return;
      }
      const { proxies, balancers } = config;
      for (const warning of new Set([...proxies, ...balancers].flatMap(certificateWarnings)))
        io.stdout.write(`warning: ${warning}\n`);
      const counts = [counted(proxies, 'proxy', 'proxies'), counted(balancers, 'balancer', 'balancers')];
      io.stdout.write(`${file}: valid, ${counts.filter((text) => text !== undefined).join(', ')}\n`);
      finish(EXIT.ok);
    });
}

function counted({ length }: readonly unknown[], one: string, several: string): string | undefined {
  return length === 0 ? undefined : `${length} ${length === 1 ? one : several}`;
}

/** What is no mistake in a file, but will be one soon, or is one for every client. */
function certificateWarnings({ listen, tls }: Pick<ProxyConfig, 'listen' | 'tls'>): string[] {
  const settings = [...new Set(listen.map((one) => one.tls ?? tls))];
  return settings.flatMap((one) =>
    one === undefined || one === false ? [] : warningsAbout(readContexts(one, {}, undefined).certificates),
  );
}
