/** Owns `npm run fuzz -- --target scanner --minutes 60 --seed 1`: compiles the fuzzer with the sources and runs it. */
import { join } from 'node:path';
import { install, ROOT, run, runTool } from './workspace.mjs';

const program = join(ROOT, 'test', 'fuzz', 'dist', 'test', 'fuzz', 'main.js');
process.exitCode =
  (await install()) ||
  (await runTool('typescript/bin/tsc', ['-p', 'test/fuzz/tsconfig.json'])) ||
  (await run(process.execPath, [program, ...process.argv.slice(2)]));
