/** Holds that `tidegate top` gives a real terminal back as it was, by `script` of util-linux. Needs `npm run build`. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { startReceivers } from '../server/stage.js';

const MAIN = fileURLToPath(new URL('../../dist/server/cli/main.js', import.meta.url));
const hasScript = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') === true;

it.runIf(hasScript).each(['q', 'SIGTERM'])('is drawn on a terminal, and left by %s', async (how) => {
  const { server, open } = await startReceivers({ admin: { listen: '127.0.0.1:0' } });
  await open();
  // The inner shell tells the process that it becomes, the outer one how the terminal is set afterwards.
  const top = `echo pid $$; exec "${process.execPath}" "${MAIN}" top --interval 100ms`;
  const command = `stty cols 120 rows 20; sh -c '${top}'; echo code $?; stty -a`;
  const child = spawn('script', ['-qfec', command, '/dev/null'], {
    env: { PATH: process.env.PATH, TIDEGATE_ADMIN: server.adminUrl, TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  let isLeft = false;
  child.stdout.on('data', (data: Buffer) => {
    text += data.toString();
    if (isLeft || !text.includes('conn-1')) return;
    isLeft = true;
    if (how === 'q') child.stdin.write('q');
    else process.kill(Number(/pid (\d+)/.exec(text)?.[1]), how as NodeJS.Signals);
  });
  await once(child, 'close');
  expect(text).toContain('\x1b[?1049h\x1b[?25l');
  expect(text).toContain('\x1b[?25h\x1b[?1049l');
  expect(text).toMatch(/code 0\r?\n/);
  const after = text.slice(text.lastIndexOf('code 0'));
  expect(after).toMatch(/(?<!-)icanon/);
  expect(after).toMatch(/(?<!-)echo /);
});
