/** Holds that the level of a log can be changed while it is written, for all that were made of it. */
import { expect, it } from 'vitest';
import { createLogger, logLevelOf, setLogLevel } from '../../../src/server/telemetry/logger.js';

it('a level that is changed holds for the logger, its children and theirs, those made before and after', () => {
  const lines: unknown[] = [];
  const destination = { write: (line: string) => lines.push((JSON.parse(line) as { message: string }).message) };
  const logger = createLogger({ format: 'json', level: 'info', destination });
  const child = logger.child({ proxy: 'a' });
  const grandchild = child.child({ id: 'b' });
  const other = createLogger({ format: 'json', level: 'info', destination });
  const all = () => {
    for (const [name, one] of Object.entries({ logger, child, grandchild, later: child.child({}), other }))
      one.debug(name);
    return lines.splice(0);
  };
  expect(all()).toEqual([]);
  setLogLevel(logger, 'debug');
  expect(logLevelOf(logger)).toBe('debug');
  expect(all()).toEqual(['logger', 'child', 'grandchild', 'later']);
  setLogLevel(logger, 'silent');
  child.fatal('x');
  expect([all(), logLevelOf(logger)]).toEqual([[], 'silent']);
});
