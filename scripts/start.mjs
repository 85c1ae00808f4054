/** Owns `npm start`: on a fresh clone it installs and builds what is missing, then runs the demo until it is stopped. */
import { build, install, run } from './workspace.mjs';

process.exitCode =
  (await install()) ||
  (await build()) ||
  (await run(process.execPath, ['dist/server/cli/main.js', 'demo', ...process.argv.slice(2)]));
