import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { startTestProvider } from '../harness/oauth.ts';
import { openBrowser, type WatchedPage } from './browser.ts';

// A registration that costs a proof of work, as people see it.
const service = await startTestProvider({
  startAt: new Date().toISOString(),
  env: { REGISTRATION_CHALLENGE: 'pow', REGISTRATION_CHALLENGE_BITS: '14' },
});
const browser = await openBrowser();

async function fillIn(page: WatchedPage, email: string): Promise<void> {
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password', { exact: true }).fill('correct horse lantern');
}

const submit = (page: WatchedPage) => page.getByRole('button', { name: 'Create account' }).click();

test('the page works the proof out by itself, and a press meanwhile waits for it', async () => {
  const page = await browser.newPage();
  await page.goto(`${service.issuer}/register`);
  await fillIn(page, `${randomUUID()}@example.com`);
  await submit(page);
  await page.waitForURL(`${service.issuer}/sign-in?done`);
  expect(page.faults).toEqual([]);
});

test('a second try on the same page has a challenge of its own', async () => {
  const page = await browser.newPage();
  const email = `${randomUUID()}@example.com`;
  for (const tried of [1, 2]) {
    await page.goto(`${service.issuer}/register`);
    await fillIn(page, email);
    await submit(page);
    if (tried === 1) await page.waitForURL(`${service.issuer}/sign-in?done`);
  }
  await page.getByText('already').first().waitFor();
  await fillIn(page, `${randomUUID()}@example.com`);
  await submit(page);
  await page.waitForURL(`${service.issuer}/sign-in?done`);
  expect(page.faults).toEqual([]);
});

test('without JavaScript the page says why it needs it, and so does the answer', async () => {
  const page = await browser.newPage({ javaScriptEnabled: false });
  await page.goto(`${service.issuer}/register`);
  const word = page.locator('noscript p');
  await word.waitFor({ state: 'visible' });
  expect(await word.textContent()).toContain('To create an account, switch JavaScript on');
  await fillIn(page, `${randomUUID()}@example.com`);
  await submit(page);
  await page.getByText('Leave JavaScript on').waitFor();
});
