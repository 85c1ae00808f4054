/** Owns that servers work in the workers of node:cluster, which share a listening socket. Needs `npm run build`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.js';

const PROGRAM = fileURLToPath(new URL('./cluster.mjs', import.meta.url));

it('two workers of node:cluster serve one port in turn', async () => {
  const program = spawn(process.execPath, [PROGRAM], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(program, 'exit');
  const [line] = await once(program.stdout, 'data');
  const port = Number(String(line));
  const answers = [];
  for (let count = 0; count < 4; count += 1) {
    const client = await RawClient.open({ port });
    client.sendText('who?');
    answers.push(await client.nextText());
    client.destroy();
  }
  expect(answers.sort()).toEqual(['1: who?', '1: who?', '2: who?', '2: who?']);
  program.stdin.end();
  expect(await exited).toEqual([0, null]);
});
