/** Owns `tidegate schema`. */
import { Command } from 'commander';
import { jsonSchema } from '../../config/file-schema.js';
import { type CliIo, EXIT } from '../io.js';

/** Makes the command that prints the JSON Schema of a configuration file. */
export function schemaCommand(io: CliIo, finish: (code: number) => void): Command {
  return new Command('schema')
    .description('Prints the JSON Schema of a configuration file, for editors.')
    .addHelpText(
      'after',
      `
Examples:
  tidegate schema > tidegate.schema.json

  Then begin tidegate.yaml with this line, and an editor with a YAML language server knows every option:
  # yaml-language-server: $schema=tidegate.schema.json
`,
    )
    .action(() => {
      io.stdout.write(`${JSON.stringify(jsonSchema(), null, 2)}\n`);
      finish(EXIT.ok);
    });
}
