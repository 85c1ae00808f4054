/**
 * Owns `npm run example -- 03-chat`: builds what is missing, compiles the examples, and runs one. On Node.js 22.18 and
 * later `node examples/03-chat.ts` does the same after a build, because that Node.js strips types itself.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build, install, ROOT, run, runTool } from './workspace.mjs';

const names = readdirSync(join(ROOT, 'examples'))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -'.ts'.length));
const [asked = '', ...args] = process.argv.slice(2);
// `03` is enough.
const name = names.find((one) => one === asked.replace(/\.ts$/, '') || (asked !== '' && one.split('-')[0] === asked));

if (name === undefined) {
  console.error(`usage: npm run example -- NAME\n  ${names.join('\n  ')}`);
  process.exitCode = 2;
} else {
  process.exitCode =
    (await install()) ||
    (await build()) ||
    (await runTool('typescript/bin/tsc', ['-p', 'examples/tsconfig.json'])) ||
    (await run(process.execPath, [join('examples', 'dist', `${name}.js`), ...args]));
}
