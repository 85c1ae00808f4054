/** Owns `npm run soak -- --minutes 2 --seed 1`: compiles the soak with the sources and runs it in a process of its own. */
import { join } from 'node:path';
import { install, ROOT, run, runTool } from './workspace.mjs';

const program = join(ROOT, 'test', 'soak', 'dist', 'test', 'soak', 'main.js');
process.exitCode =
  (await install()) ||
  (await runTool('typescript/bin/tsc', ['-p', 'test/soak/tsconfig.json'])) ||
  (await run(process.execPath, ['--expose-gc', program, ...process.argv.slice(2)]));
