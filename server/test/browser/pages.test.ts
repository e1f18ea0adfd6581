import axe from 'axe-core';
import { afterAll, describe, expect, test } from 'vitest';
import { contrastOf } from './contrast.ts';
import { openBrowser, type WatchedPage } from './browser.ts';
import {
  answerPasskey,
  countAsked,
  holdPasskeys,
  isAlive,
  numberControls,
  pressThrice,
  readEdges,
  readFocus,
  readLayout,
  readPlainPage,
  recordShifts,
} from './in-page.ts';
import { answerLogo, openGallery } from './gallery.ts';
import { samples } from './samples.ts';

const gallery = await openGallery();
afterAll(() => gallery.close());
const browser = await openBrowser();
const names = Object.keys(samples);

type Look = { colorScheme?: 'light' | 'dark'; width?: number; javaScriptEnabled?: boolean };

async function openPage({ colorScheme = 'light', width = 1024, ...rest }: Look = {}): Promise<WatchedPage> {
  const page = await browser.newPage({ colorScheme, viewport: { width, height: 760 }, ...rest });
  await answerLogo(page.context());
  return page;
}

/** Opens a sample and waits until JavaScript has taken over. */
async function show(page: WatchedPage, name: string): Promise<void> {
  await page.goto(`${gallery.url}/${name}`);
  await page.waitForFunction(isAlive);
}

const standards = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** What axe is asked of a page in each theme: they differ in colours alone. */
const rulesOf: Record<'light' | 'dark', axe.RunOnly> = {
  light: { type: 'tag', values: standards },
  dark: { type: 'rule', values: ['color-contrast'] },
};

/** What axe says against a page, one line for each finding. */
async function violationsOf(page: WatchedPage, runOnly: axe.RunOnly): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(
    (rules) =>
      (globalThis as unknown as { axe: typeof axe }).axe.run(document, {
        runOnly: rules,
        resultTypes: ['violations'],
      }),
    runOnly,
  );
  return violations.map(
    ({ id, help, nodes }) => `${id}: ${help} (${nodes.map((node) => node.html).join(', ')})`,
  );
}

/** Nothing for axe to find or the policy to stop, and edges that stand out 3 to 1. */
async function expectSound(page: WatchedPage, name: string, theme: 'light' | 'dark'): Promise<void> {
  expect(await violationsOf(page, rulesOf[theme]), name).toEqual([]);
  for (const { what, edge, behind } of await page.evaluate(readEdges)) {
    expect(contrastOf(edge, behind), `${name}: ${what}`).toBeGreaterThanOrEqual(3);
  }
  expect(page.faults, name).toEqual([]);
}

/** Nothing scrolls sideways, no price is broken in two, nothing jumps while the page loads. */
async function expectSteady(page: WatchedPage, name: string): Promise<void> {
  expect(await page.evaluate(readLayout), name).toEqual({ overflow: 0, broken: [], shifts: [] });
}

/** The tab key goes through every control in the order it is read, and shows where it is. */
async function expectTabOrder(page: WatchedPage, name: string): Promise<void> {
  const total = await page.evaluate(numberControls);
  const visited: number[] = [];
  for (let press = 0; press < total; press++) {
    await page.keyboard.press('Tab');
    const { index, isMarked } = await page.evaluate(readFocus);
    expect(isMarked, `${name}: control ${index}`).toBe(true);
    visited.push(index);
  }
  expect(visited, name).toEqual(Array.from({ length: total }, (_, index) => index));
}

// Each page is opened once for all that is asked of it in one theme and width: there are many.
describe('every page', { timeout: 120_000 }, () => {
  test('is sound in the light theme, wide, stays where it is, and is walked through by the tab key', async () => {
    const page = await openPage();
    await page.addInitScript(recordShifts);
    for (const name of names) {
      await show(page, name);
      await expectSteady(page, name);
      await expectSound(page, name, 'light');
      await expectTabOrder(page, name);
    }
  });

  test('is sound in the dark theme, 320 pixels wide, and stays where it is', async () => {
    const page = await openPage({ colorScheme: 'dark', width: 320 });
    await page.addInitScript(recordShifts);
    for (const name of names) {
      await show(page, name);
      await expectSteady(page, name);
      await expectSound(page, name, 'dark');
    }
  });
});

describe('without JavaScript', () => {
  test('every page says the same, and every form but a search is posted with its token', async () => {
    const [bare, alive] = [await openPage({ javaScriptEnabled: false }), await openPage()];
    for (const name of names) {
      await bare.goto(`${gallery.url}/${name}`);
      await show(alive, name);
      const plain = await bare.evaluate(readPlainPage);
      expect(plain, name).toEqual(await alive.evaluate(readPlainPage));
      const posted = plain.forms.filter(([method]) => !(method === 'get' && name.startsWith('people')));
      expect(new Set(posted.flat()), name).toEqual(
        new Set(posted.length === 0 ? [] : ['post', 'csrf-token']),
      );
    }
  }, 120_000);

  test('signing in, lowering a budget, a device code and a request are one press away', async () => {
    const page = await openPage({ javaScriptEnabled: false });
    await page.goto(`${gallery.url}/sign-in-app`);
    await page.getByLabel('Password').fill('a lantern for the horse');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/device-done');
    expect(gallery.sent.at(-1)).toEqual({
      csrf: 'csrf-token',
      email: 'ada@example.com',
      password: 'a lantern for the horse',
    });
    await page.goto(`${gallery.url}/consent`);
    await page.getByLabel('A month').fill('200');
    await page.getByRole('button', { name: 'Allow', exact: true }).click();
    await page.waitForURL('**/device-done');
    expect(gallery.sent.at(-1)).toEqual({
      csrf: 'csrf-token',
      allowance: '200',
      maxPerSpend: '50',
      decision: 'allow',
    });
    await page.goto(`${gallery.url}/device-code`);
    await page.getByLabel('Code').fill('wdjb-mjht');
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.waitForURL('**/device-done');
    expect(gallery.sent.at(-1)).toEqual({ csrf: 'csrf-token', user_code: 'wdjb-mjht' });
    await page.goto(`${gallery.url}/request-access`);
    await page.getByLabel('Message').fill('I am new in the team.');
    await page.getByRole('button', { name: 'Ask for access' }).click();
    await page.waitForURL('**/device-done');
    expect(gallery.sent.at(-1)).toEqual({
      csrf: 'csrf-token',
      message: 'I am new in the team.',
      decision: 'request',
    });
  });
});

describe('with JavaScript', () => {
  test('a password can be shown, and hidden again, without losing what was typed', async () => {
    const page = await openPage();
    await show(page, 'sign-in');
    const field = page.getByLabel('Password', { exact: true });
    const toggle = page.getByRole('button', { name: 'Show password' });
    await field.fill('a lantern for the horse');
    await toggle.click();
    expect(await field.getAttribute('type')).toBe('text');
    expect(await toggle.getAttribute('aria-pressed')).toBe('true');
    await toggle.click();
    expect(await field.getAttribute('type')).toBe('password');
    expect(await field.inputValue()).toBe('a lantern for the horse');
  });

  test('the hint under a new password follows the typing, and a refusal goes once it is answered', async () => {
    const page = await openPage();
    await show(page, 'register-refused');
    const field = page.getByLabel('Password', { exact: true });
    const hint = page.locator('[aria-live=polite]');
    await expect.poll(() => page.locator('.refusal:visible').innerText()).toContain('most common passwords');
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    await field.fill('lantern');
    await expect.poll(() => hint.innerText()).toBe('One character to go.');
    expect(await page.locator('.refusal:visible').count()).toBe(0);
    await field.fill('ada@example.com');
    await expect.poll(() => hint.innerText()).toContain('would be guessed first');
    await field.fill('a lantern for the horse');
    await expect.poll(() => hint.innerText()).toBe('Long enough.');
  });

  test('the words of a budget follow its fields, and more than was asked for is not sent', async () => {
    const page = await openPage();
    await show(page, 'consent');
    const sum = page.locator('.sum');
    expect(await sum.innerText()).toBe('It may spend up to 500 credits a month, at most 50 at a time.');
    await page.getByLabel('A month').fill('1');
    await expect.poll(() => sum.innerText()).toBe('It may spend up to 1 credit a month.');
    await page.getByLabel('A month').fill('501');
    const before = gallery.sent.length;
    await page.getByRole('button', { name: 'Allow', exact: true }).click();
    expect(
      await page.getByLabel('A month').evaluate((field: HTMLInputElement) => field.validity.rangeOverflow),
    ).toBe(true);
    await page.getByRole('button', { name: 'Do not allow' }).click();
    await page.waitForURL('**/device-done');
    expect(gallery.sent.slice(before).map(({ decision }) => decision)).toEqual(['deny']);
  });

  test('of a budget in fractions, words and fields speak of credits', async () => {
    const page = await openPage();
    await show(page, 'budget-fractions');
    const sum = page.locator('.sum');
    expect(await sum.innerText()).toBe('It may spend up to 5.25 credits a month, at most 0.5 at a time.');
    const field = page.getByLabel('A month');
    expect(await field.inputValue()).toBe('5.25');
    await field.fill('7.000001');
    await expect.poll(() => sum.innerText()).toContain('up to 7.000001 credits a month');
    await page.getByRole('button', { name: 'Set budget' }).click();
    await page.waitForURL('**/device-done');
    expect(gallery.sent.at(-1)).toMatchObject({ allowance: '7.000001', maxPerSpend: '0.5' });
  });

  test.each([
    ['security-refused', 'password'],
    ['second-factor-refused', 'code'],
    ['consent-unverified', 'allowance'],
    ['credits-top-up-paused', 'monthlyCap'],
  ])('%s begins at the field that was refused, with what was typed', async (name, field) => {
    const page = await openPage();
    await show(page, name);
    const focused = page.locator(':focus');
    expect(await focused.getAttribute('name')).toBe(field);
    expect(await focused.getAttribute('aria-invalid')).toBe('true');
    const typed: Record<string, string> = { allowance: '12501', monthlyCap: '5' };
    expect(await focused.inputValue()).toBe(typed[field] ?? '');
  });

  test('a passkey is asked for once, by Enter too; a failure is forgotten with the next try', async () => {
    const page = await openPage();
    await page.addInitScript(holdPasskeys);
    await show(page, 'security');
    const button = page.getByRole('button', { name: 'Add a passkey' });
    const failure = page.getByText('That did not work, or was stopped.');
    const before = gallery.sent.length;
    await page.getByLabel('Name of the passkey').press('Enter');
    await button.click();
    expect(await page.evaluate(countAsked)).toBe(1);
    await page.evaluate(answerPasskey, false);
    await failure.waitFor();
    await button.click();
    await failure.waitFor({ state: 'hidden' });
    await page.evaluate(answerPasskey, true);
    await page.waitForURL('**/device-done');
    expect(gallery.sent.slice(before)).toMatchObject([
      { name: 'My passkey', passkey: expect.stringContaining('"id":"AA"') },
    ]);
  });

  test('a form is sent once, however often its button is pressed', async () => {
    const page = await openPage();
    await show(page, 'choose-account');
    expect(await page.evaluate(pressThrice)).toEqual([false, true, true]);
    await expect.poll(() => page.locator('[role=status]').innerText()).toBe('One moment…');
  });

  test('where the logo does not load, the first letter stands in', async () => {
    const page = await browser.newPage();
    await page.context().route('https://**', (route) => route.abort());
    await page.goto(`${gallery.url}/sign-in-app`);
    await expect.poll(() => page.locator('.tile').innerText()).toBe('A');
  });
});
