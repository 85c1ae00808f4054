/** Owns `npm run soak` once it is compiled: prints how it goes, and exits with 1 and the seed when something differed. */
import { parseArgs } from 'node:util';
import { Watchdog } from '../fuzz/watchdog.js';
import { soak } from './soak.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 0x1_0000_0000)) },
  },
});
const seed = Number(values.seed);
const time = Number(values.minutes) * 60_000;
if (!Number.isInteger(seed) || !(time > 0)) {
  console.error('usage: npm run soak -- --minutes N --seed N');
  process.exit(2);
}
console.log(`soak: ${values.minutes} minutes, seed ${seed}, TIDEGATE_IO ${process.env.TIDEGATE_IO ?? 'not set'}`);

// The last round may take its time; what takes longer hangs.
const watchdog = new Watchdog({ within: time + 60_000, words: `FAILED (seed ${seed}): it did not stop in time` });
const report = await soak({ seed, time, say: (line) => console.log(line) });
await watchdog.stop();
const { rounds, lives, refused, opened, ended, disturbances, faults } = report;
console.log(
  `${rounds} rounds: ${lives} lives, ${opened} opened, ${ended} ended, ${refused} refused, ${disturbances >> 1} disturbances`,
);
for (const fault of faults) console.error(`FAILED (seed ${seed}): ${fault}`);
process.exit(faults.length === 0 ? 0 : 1);
