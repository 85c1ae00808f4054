/** Owns starting Chromium for scripts: that of `CHROMIUM_PATH`, or one from the path of programs. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Starts it, without a window. Rejects where there is none. */
export function openChromium() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM_PATH || findChromium(),
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  });
}

function findChromium() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found = folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find((path) => existsSync(path));
  if (found === undefined) throw new Error('there is no Chromium; set CHROMIUM_PATH, or install chromium');
  return found;
}
