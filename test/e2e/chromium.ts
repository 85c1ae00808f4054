/** Owns one Chromium for the tests of a file, with a profile of its own. Refuses to start where there is none; the tests say so. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, onTestFinished, type TestContext } from 'vitest';
import { CHROMIUM_FLAGS, findChromium } from '../support/services.js';

/** A browser that runs as long as the tests of its file. */
export interface TestBrowser {
  /** Opens a tab, which is closed when the test has finished; skips the test where there is no Chromium. */
  openTab(context: TestContext): Promise<Page>;
}

/** Starts Chromium before the tests of a file, and ends it behind them. It takes certificates that nobody signed. */
export function useChromium(): TestBrowser {
  const found = findChromium();
  let browser: BrowserContext | undefined;
  let profile: string | undefined;
  beforeAll(async () => {
    if (found.missing !== undefined) return;
    profile = await mkdtemp(join(tmpdir(), 'tidegate-chromium-'));
    browser = await chromium.launchPersistentContext(profile, {
      executablePath: found.path,
      headless: true,
      args: CHROMIUM_FLAGS,
      ignoreHTTPSErrors: true,
    });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    if (profile !== undefined) await rm(profile, { recursive: true, force: true });
  });
  return {
    async openTab(context) {
      if (found.missing !== undefined) return context.skip(found.missing);
      const page = await browser!.newPage();
      onTestFinished(() => page.close());
      return page;
    },
  };
}
