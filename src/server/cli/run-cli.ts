/** Owns the command line as a whole: its commands, its help and its exit codes. Refuses to carry a command out. */
import { Command, CommanderError } from 'commander';
import { describeError } from '../../receivers/errors.js';
import { packageVersion } from '../package-version.js';
import { balanceCommand } from './commands/balance.js';
import { checkCommand } from './commands/check.js';
import { demoCommand } from './commands/demo.js';
import { explainCommand } from './commands/explain.js';
import { hashPasswordCommand } from './commands/hash-password.js';
import { proxyCommand } from './commands/proxy.js';
import { recordingCommand } from './commands/recording.js';
import { registerCommand } from './commands/register.js';
import { replayCommand } from './commands/replay.js';
import { runCommand } from './commands/run.js';
import { schemaCommand } from './commands/schema.js';
import { topCommand } from './commands/top.js';
import { type CliIo, EXIT } from './io.js';

const EXAMPLES = `
Examples:
  tidegate demo                                             try it without anything else
  tidegate proxy --listen 6080 --target tcp://127.0.0.1:5900   a VNC server for noVNC in a browser
  tidegate proxy --listen 8081 --target tcp://127.0.0.1:6379   Redis over WebSocket
  tidegate proxy --listen 8080 --target ws://127.0.0.1:3000/   before a WebSocket application
  tidegate balance --listen 8080 --backend ws://a:3000 --backend ws://b:3000   before several of them
  tidegate register --balancer ws://lb:8080/.tidegate/control --advertise ws://10.0.0.7:9000
                                                            makes a server a backend of a load balancer
  tidegate run --config tidegate.yaml                       everything from a file
  tidegate top                                              the busiest and slowest connections of a running server
  tidegate explain conn-7                                   why a connection is where it is

Exit codes: 0 done, or drained after SIGTERM or SIGINT; 1 could not run; 2 configuration error.
`;

const COMMANDS = [
  proxyCommand,
  balanceCommand,
  registerCommand,
  runCommand,
  checkCommand,
  schemaCommand,
  explainCommand,
  topCommand,
  hashPasswordCommand,
  recordingCommand,
  replayCommand,
  demoCommand,
];

/**
 * Runs the command line and answers with the exit code. Never rejects and never ends the process itself.
 *
 * @param argv the arguments after the name of the program.
 */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  let code: number = EXIT.ok;
  const finish = (result: number) => {
    code = result;
  };
  const program = new Command('tidegate')
    .description('A WebSocket proxy and load balancer that understands the frames it carries.')
    .version(packageVersion(), '-V, --version')
    .helpCommand('help [command]', 'Shows the help of a command.')
    .addHelpText('after', EXAMPLES);
  for (const command of COMMANDS) program.addCommand(command(io, finish));
  for (const command of [program, ...program.commands, ...program.commands.flatMap((one) => one.commands)]) {
    command
      .exitOverride()
      .helpOption('-h, --help', 'Shows this help.')
      .showHelpAfterError(`(tidegate ${command === program ? '' : `${command.name()} `}--help shows what there is)`)
      .configureOutput({
        writeOut: (text) => void io.stdout.write(text),
        writeErr: (text) => void io.stderr.write(text),
      });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    // commander has written its message already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.misconfigured;
    io.stderr.write(`tidegate: ${describeError(error)}\n`);
    return EXIT.failed;
  }
}
