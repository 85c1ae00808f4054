/** Owns that a change of a file is noticed, however it is made, and that nothing is left of a watch that was stopped. */
import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FileWatch, type FileWatchOptions } from '../../../src/server/tls/file-watch.js';
import { WaitingLine } from '../../support/events.js';
import { folderForTest } from '../../support/folder.js';

/** A watch that counts changes. */
async function watching(files: readonly string[], options: Partial<FileWatchOptions> = {}) {
  const line = new WaitingLine();
  let count = 0;
  const changed = (): void => {
    count += 1;
    line.notify();
  };
  // Polled never, unless the test is about that.
  const watch = new FileWatch({ files, quiet: 20, poll: 1_000_000, changed, ...options });
  onTestFinished(() => watch.stop());
  await watch.start();
  const times = (wanted: number) =>
    line.until(
      () => (count >= wanted ? true : undefined),
      () => undefined,
    );
  return { watch, times, count: () => count };
}

describe('a change is noticed', () => {
  it('when a file is written to', async () => {
    const file = join(folderForTest(), 'a.pem');
    writeFileSync(file, 'one');
    const { times } = await watching([file]);
    writeFileSync(file, 'two!');
    await times(1);
  });

  it('when another file takes its place', async () => {
    const folder = folderForTest();
    const file = join(folder, 'a.pem');
    writeFileSync(file, 'one');
    const { times } = await watching([file]);
    writeFileSync(join(folder, 'a.pem.new'), 'two');
    renameSync(join(folder, 'a.pem.new'), file);
    await times(1);
  });

  it('when it was not there before, and when it is gone', async () => {
    const file = join(folderForTest(), 'a.pem');
    const { times } = await watching([file]);
    writeFileSync(file, 'one');
    await times(1);
    unlinkSync(file);
    await times(2);
  });

  it('when a link is set to another file, as certbot does', async () => {
    const folder = folderForTest();
    mkdirSync(join(folder, 'archive'));
    mkdirSync(join(folder, 'live'));
    writeFileSync(join(folder, 'archive/cert1.pem'), 'one');
    writeFileSync(join(folder, 'archive/cert2.pem'), 'two');
    const link = join(folder, 'live/cert.pem');
    symlinkSync('../archive/cert1.pem', link);
    const { times } = await watching([link]);
    unlinkSync(link);
    symlinkSync('../archive/cert2.pem', link);
    await times(1);
  });

  it('when the folder behind a link of the folder is swapped, as Kubernetes does', async () => {
    const folder = folderForTest();
    for (const name of ['..one', '..two']) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'tls.crt'), name);
    }
    symlinkSync('..one', join(folder, '..data'));
    symlinkSync('..data/tls.crt', join(folder, 'tls.crt'));
    const { times } = await watching([join(folder, 'tls.crt')]);
    symlinkSync('..two', join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    await times(1);
  });

  it('by looking now and then, where the system tells nothing', async () => {
    const folder = folderForTest();
    for (const name of ['one', 'two']) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'a.pem'), name);
    }
    symlinkSync('one', join(folder, 'current'));
    const { times } = await watching([join(folder, 'current/a.pem')], { poll: 20 });
    rmSync(join(folder, 'current'));
    symlinkSync('two', join(folder, 'current'));
    await times(1);
  });

  it('also in a folder that is not there yet', async () => {
    const folder = folderForTest();
    const { times } = await watching([join(folder, 'later/a.pem')], { poll: 20 });
    mkdirSync(join(folder, 'later'));
    writeFileSync(join(folder, 'later/a.pem'), 'one');
    await times(1);
  });
});

describe('a watch', () => {
  it('tells changes that come together once, and nothing when nothing changed', async () => {
    const folder = folderForTest();
    const [cert, key, other] = ['a.pem', 'a.key', 'other'].map((name) => join(folder, name));
    for (const file of [cert, key]) writeFileSync(file!, 'one');
    const { times, count } = await watching([cert!, key!], { quiet: 100 });
    writeFileSync(cert!, 'two!');
    writeFileSync(other!, 'not watched');
    writeFileSync(key!, 'two!');
    await times(1);
    expect(count()).toBe(1);
  });

  it('leaves no handle and no timer behind, also when it is stopped while it begins or a change is awaited', async () => {
    const file = join(folderForTest(), 'a.pem');
    writeFileSync(file, 'one');
    const { watch, count } = await watching([file], { poll: 20 });
    utimesSync(file, new Date(), new Date());
    watch.stop();
    const starting = new FileWatch({ files: [file], changed: () => {} });
    const started = starting.start();
    starting.stop();
    await started;
    await nextTurn();
    expect(process.getActiveResourcesInfo().filter((name) => /FSEvent|StatWatcher/.test(name))).toEqual([]);
    expect(count()).toBe(0);
  });
});
