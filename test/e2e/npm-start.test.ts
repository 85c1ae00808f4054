/** Owns that `npm start` ends in order when npm is told to, whether by Ctrl-C or by a supervisor. Needs `npm run build`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('npm start', () => {
  it.skipIf(process.platform === 'win32').each(['SIGINT', 'SIGTERM'] as const)(
    'drains and answers 0 when npm gets %s',
    async (signal) => {
      // A group of its own, so that nothing is left behind when the test fails.
      const npm = spawn('npm', ['start', '--', '--listen', '127.0.0.1:0', '--log-format', 'json'], {
        cwd: ROOT,
        stdio: ['ignore', 'pipe', 'ignore'],
        detached: true,
      });
      const exited = once(npm, 'exit');
      onTestFinished(() => {
        try {
          process.kill(-npm.pid!, 'SIGKILL');
        } catch {
          // Everybody has gone.
        }
      });
      let output = '';
      for await (const data of npm.stdout) {
        const before = output;
        output += String(data);
        // To npm alone: a terminal would tell the whole group, a supervisor does not.
        if (output.includes('"event":"ready"') && !before.includes('"event":"ready"')) npm.kill(signal);
      }
      expect(await exited).toEqual([0, null]);
      expect(output).toContain('"event":"stopped"');
    },
    // It builds first when dist/ is older than the sources, which takes its time on a busy machine.
    120_000,
  );
});
