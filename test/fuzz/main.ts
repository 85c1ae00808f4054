/** Owns `npm run fuzz` once it is compiled: one target or all in turn, for a time, from a seed. Exits with 1 when something was found. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Corpus } from './corpus.js';
import { fuzz } from './fuzz.js';
import { TARGETS } from './targets.js';
import { Watchdog } from './watchdog.js';

const { values } = parseArgs({
  options: {
    target: { type: 'string', default: 'all' },
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 0x1_0000_0000)) },
    keep: { type: 'boolean', default: false },
    corpus: { type: 'string', default: join(process.cwd(), 'test', 'fuzz', 'corpus') },
  },
});
const targets = TARGETS.filter(({ name }) => values.target === 'all' || values.target === name);
const time = (Number(values.minutes) * 60_000) / targets.length;
const seed = Number(values.seed);
if (targets.length === 0 || !(time > 0) || !Number.isInteger(seed)) {
  const names = TARGETS.map(({ name }) => name).join(' | ');
  console.error(`usage: npm run fuzz -- --target ${names} | all --minutes N --seed N [--keep]`);
  process.exit(2);
}

let found = 0;
for (const target of targets) {
  console.log(`${target.name}: seed ${seed}`);
  const corpus = new Corpus(values.corpus, target.name);
  const file = join(corpus.folder, `finding-hang-${process.pid}`);
  const watchdog = new Watchdog({
    within: 30_000,
    words: `FOUND ${target.name} (seed ${seed}): an input takes for ever`,
    file,
  });
  const report = await fuzz(target, {
    seed,
    time,
    corpus,
    onInput: (input) => watchdog.step(input),
    coverage: true,
    keep: values.keep,
    onProgress: ({ runs, inputs, blocks, findings }) =>
      console.log(`${target.name}: ${runs} runs, ${inputs} inputs, ${blocks} blocks, ${findings} findings`),
  });
  await target.close?.();
  await watchdog.stop();
  const { runs, inputs, blocks } = report;
  console.log(`${target.name}: done after ${runs} runs, ${inputs} inputs, ${blocks} blocks`);
  for (const { file, message } of report.found)
    console.log(`FOUND ${target.name} (seed ${seed}): ${file}\n${message}\n`);
  found += report.found.length;
}
process.exit(found === 0 ? 0 : 1);
