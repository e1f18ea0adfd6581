import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
} from 'playwright-core';
import { afterAll } from 'vitest';
import { findChromium } from './chromium.ts';

/**
 * Only this machine can be reached: names under `.test` lead to it, so that there are sites and subdomains to
 * test with, and all others nowhere.
 */
const resolver =
  'MAP *.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1';

/** Starts the Chromium of this machine. The caller closes it. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error('Chromium is not installed; CHROMIUM can name it');
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({
    executablePath,
    args: [`--host-resolver-rules=${resolver}`, '--disable-gpu', ...(isRoot ? ['--no-sandbox'] : [])],
  });
}

/** A test that waits in vain is to say what for, before it ends itself. */
const actionTimeoutMs = 45_000;

export type TestBrowser = {
  /** Somebody's browser: cookies of its own. Closed after the last test of the file. */
  newContext(options?: BrowserContextOptions): Promise<BrowserContext>;
  /** A page in a browser of its own, with all that went wrong in it: exceptions, refusals by a policy. */
  newPage(options?: BrowserContextOptions): Promise<WatchedPage>;
};

export type WatchedPage = Page & { faults: string[] };

/** Starts a browser for the tests of a file; it is closed after the last one. */
export async function openBrowser(): Promise<TestBrowser> {
  const browser = await launchBrowser();
  afterAll(() => browser.close());
  const newContext = async (options: BrowserContextOptions = {}) => {
    const context = await browser.newContext(options);
    context.setDefaultTimeout(actionTimeoutMs);
    return context;
  };
  return {
    newContext,
    async newPage(options) {
      const context = await newContext(options);
      return watch(await context.newPage());
    },
  };
}

/** Notes what a page complains about. */
function watch(page: Page): WatchedPage {
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    // A refusal is a page too; the browser notes the status of its answer.
    if (message.text().startsWith('Failed to load') && message.location().url === page.url()) return;
    if (['error', 'warning'].includes(message.type())) faults.push(message.text());
  });
  return Object.assign(page, { faults });
}
