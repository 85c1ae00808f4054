/** Owns `npm test`: every check in order of cost, up to the first that fails, and one last line with the counts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, install, readJson, runTool } from './workspace.mjs';

const folder = mkdtempSync(join(tmpdir(), 'tidegate-test-'));
const report = join(folder, 'report.json');

const steps = [
  install,
  // Biome colours every character also where nobody sees colours, such as in the log of CI.
  () => runTool('@biomejs/biome/bin/biome', ['ci', ...(process.stdout.isTTY ? [] : ['--colors=off']), '.']),
  () => runTool('typescript/bin/tsc', ['-p', 'tsconfig.json']),
  () => runTool('typescript/bin/tsc', ['-p', 'src/dashboard']),
  () => build({ force: true }),
  () =>
    runTool('vitest/vitest.mjs', [
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...process.argv.slice(2),
    ]),
];

let code = 0;
for (const step of steps) {
  code = await step();
  if (code !== 0) break;
}

const counts = readJson(report);
rmSync(folder, { recursive: true, force: true });
if (counts === undefined) {
  console.log('stopped before the tests ran');
} else {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = counts;
  // A file that could not even be loaded has no failed test in it, but it did fail.
  const broken = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((one) => one.status === 'failed'),
  );
  const failed = numFailedTests + broken.length;
  console.log(`${numPassedTests} passed, ${failed} failed, ${numPendingTests + numTodoTests} skipped`);
}
process.exitCode = code;
