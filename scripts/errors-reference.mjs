/** Owns how the reference page of the error codes is worded. Everything it says about a code comes from the one table. */

const INTRO = `# Errors

<!-- Generated from the table in src/receivers/error-table.ts by \`npm run docs\`. Changes made here are lost. -->

There is one error class, \`TidegateError\`, with a \`code\` from one table. Match on \`error.code\`, never on the text; the
texts may change. \`error.help\` is the line of help below, \`error.cause\` the error underneath, if there is one.

\`\`\`ts
import { ProxyServer, TidegateError } from 'tidegate';

try {
  await new ProxyServer({ listen: 8080, target: 'tcp://127.0.0.1:5900' }).start();
} catch (error) {
  if (error instanceof TidegateError && error.code === 'ADDRESS_IN_USE') console.error(error.help);
  else throw error;
}
\`\`\`

A close is not an error: it comes to \`onClosed\` and to the \`disconnected\` event, whose report names one of these codes as
its \`cause\` when something went wrong. The \`rejected\` event names the code for which an upgrade request was refused.

- **whose mistake**: who has to do something about it.
- **before the 101**: the HTTP status the client is answered while the handshake is open.
- **after the 101**: the code of the Close frame.
`;

const WHOSE = {
  application: 'the application (a receiver, or code that calls Tidegate)',
  operator: 'the operator (options, command line, configuration)',
  downstream: 'the client',
  upstream: 'the target',
  network: 'the network',
  us: 'nobody; the server protects itself',
};

/**
 * Renders the reference page as Markdown.
 *
 * @param {Readonly<Record<string, { whose: string, status?: number, close?: number, help: string }>>} errors
 * @returns {string}
 */
export function renderErrors(errors) {
  const sections = Object.entries(errors).map(([code, { whose, status, close, help }]) =>
    [
      `## ${code}`,
      '',
      help,
      '',
      `- Whose mistake: ${WHOSE[whose] ?? whose}`,
      `- Before the 101: ${status ?? 'no answer of its own'}`,
      `- After the 101: ${close === undefined ? 'no Close frame of its own' : `Close ${close}`}`,
      '',
    ].join('\n'),
  );
  return [INTRO, ...sections].join('\n');
}
