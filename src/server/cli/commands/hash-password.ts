/** Owns `tidegate hash-password`. Refuses to take a password as an argument, where every user of the machine can read it. */
import { Command } from 'commander';
import { hashPassword } from '../../authentication/password-hash.js';
import { type CliIo, EXIT } from '../io.js';

const MAX_BYTES = 4096;

/** Makes the command that turns a password into the text of its hash. */
export function hashPasswordCommand(io: CliIo, finish: (code: number) => void): Command {
  return new Command('hash-password')
    .description('Reads a password from standard input and prints its hash, for authentication.users.')
    .addHelpText(
      'after',
      `
Examples:
  tidegate hash-password < password.txt
  read -rs password && printf %s "$password" | tidegate hash-password
`,
    )
    .action(async () => {
      const password = await firstLine(io.stdin ?? process.stdin);
      if (password === undefined) {
        io.stderr.write('tidegate: there is no password on standard input; it takes one line of at most 4096 bytes\n');
        finish(EXIT.misconfigured);
        return;
      }
      io.stdout.write(`${await hashPassword(password)}\n`);
      finish(EXIT.ok);
    });
}

/** The first line without its end; undefined for none, an empty one, or one that is too long. */
async function firstLine(input: AsyncIterable<Uint8Array | string>): Promise<string | undefined> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of input) {
    bytes = Buffer.concat([bytes, typeof chunk === 'string' ? Buffer.from(chunk) : chunk]);
    if (bytes.length > MAX_BYTES) return undefined;
  }
  const [line = ''] = bytes.toString('utf8').split(/\r?\n/, 1);
  return line === '' ? undefined : line;
}
