import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { createTestClock } from '../harness/index.ts';
import { addAdministrator } from '../harness/movements.ts';
import { startTestProvider } from '../harness/oauth.ts';
import { startPaymentStandIn } from '../harness/payment-stand-in.ts';
import { signIn } from '../harness/people.ts';
import { makePlan } from '../harness/plans.ts';
import { openBrowser, type WatchedPage } from './browser.ts';

// Cookies end by the clock of the browser, so all clocks begin at the machine's time; then they stand still.
const clock = { ...createTestClock(), now: () => new Date() };
const standIn = await startPaymentStandIn({ clock });
const service = await startTestProvider({ startAt: new Date().toISOString(), env: { ...standIn.settings } });
standIn.deliverTo(service.url);
const browser = await openBrowser();
await makePlan(service, await addAdministrator(service), 'plus', { name: 'Plus', priceCents: 899 });

const status = (page: WatchedPage) => page.locator('[data-state] [role=status]');
const subjects = async (email: string) => (await service.mails(email)).map(({ subject }) => subject);

/** Somebody new, who registers on the way to an address. */
async function register(page: WatchedPage, url: string): Promise<{ email: string; password: string }> {
  const person = { email: `${randomUUID()}@example.com`, password: 'a lantern for the horse' };
  await page.goto(url);
  await page.getByRole('link', { name: 'Create an account' }).click();
  await page.getByLabel('E-mail address').fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('heading', { name: 'Your credits' }).waitFor();
  return person;
}

test('somebody new buys a pack and a plan, sees credits arrive, gets receipts, and asks for a refund', async () => {
  const page = await browser.newPage();
  // Which the stand-in has none of.
  await page.route('**/favicon.ico', (route) => route.fulfill({ status: 204 }));
  const { email } = await register(page, `${service.issuer}/credits?need=800`);
  await page.getByText('800 credits are missing').waitFor();
  await page.getByText('This is a test').waitFor();
  await page.getByRole('button', { name: 'Buy for €10.00' }).click();
  await page.waitForURL(`${standIn.url}/**`);
  await page.getByRole('button', { name: 'arrives in a minute' }).click();

  await page.waitForURL(`${service.issuer}/credits?purchase=*`);
  await expect.poll(() => status(page).innerText()).toContain('We wait for your payment of “Standard”');
  await page.evaluate(() => Object.assign(globalThis, { isSamePage: true }));
  service.clock.advance({ minutes: 2 });
  await standIn.deliver();
  await expect
    .poll(() => status(page).innerText(), { timeout: 20_000 })
    .toContain('1,000 credits have arrived');
  expect(await page.locator('.balance strong').innerText()).toBe('1,150');
  expect(await page.evaluate(() => 'isSamePage' in globalThis)).toBe(true);
  expect(await subjects(email)).toContain('Your Obol receipt: 1,000 credits');

  await page.goto(`${service.issuer}/credits`);
  await page.getByRole('button', { name: 'Subscribe', exact: true }).click();
  await page.waitForURL(`${standIn.url}/**`);
  await page.getByRole('button', { name: /^Pay EUR/ }).click();
  await page.waitForURL(`${service.issuer}/credits?subscription=*`);
  await expect.poll(() => status(page).innerText()).toContain('We wait for your payment of “Plus”');
  await standIn.deliver();
  await expect.poll(() => status(page).innerText(), { timeout: 20_000 }).toContain('“Plus” is here');
  await page.getByRole('heading', { name: 'Your plan: Plus' }).waitFor();
  expect(await page.locator('.balance strong').innerText()).toBe('2,150');
  expect((await subjects(email)).filter((subject) => subject.includes('receipt'))).toHaveLength(2);

  await page.getByRole('button', { name: 'Cancel the plan' }).click();
  await page.getByText('Your plan is cancelled').waitFor();
  await page.getByRole('button', { name: 'Keep the plan' }).click();
  await page.getByText('Your plan goes on').waitFor();

  const standard = page.locator('.purchase', { hasText: 'Standard' });
  await standard.getByText('Ask for a refund').click();
  await standard.getByLabel('Why?').fill('Bought by mistake');
  await standard.getByRole('button', { name: 'Ask for the refund' }).click();
  await page.getByText('Your refund is asked for').waitFor();
  await standard.getByText('Refund asked for').waitFor();
  expect(await page.locator('.balance strong').innerText()).toBe('1,150');
  expect(page.faults).toEqual([]);
}, 120_000);

test('without JavaScript a pack is bought all the same, with either provider', async () => {
  const page = await browser.newPage({ javaScriptEnabled: false });
  const { email, password } = await register(page, `${service.issuer}/credits`);
  for (const [way, sum] of [
    ['Pay by card or bank', '500'],
    ['Pay with PayPal', '1,000'],
  ] as const) {
    await page.getByLabel('Starter').first().check();
    await page.getByRole('button', { name: way }).click();
    await page.waitForURL(`${standIn.url}/**`);
    await page.getByRole('button', { name: /^Pay EUR/ }).click();
    await page.waitForURL(`${service.issuer}/credits?purchase=*`);
    await page.getByText('500 credits have arrived').waitFor();
    const { accessToken: token } = await signIn(service, { email, password, id: '' });
    const { body } = await service.send('GET', '/api/v1/credits/balance', { token });
    expect(body.balance.toLocaleString('en')).toBe(sum);
  }
  await page.getByRole('button', { name: 'Pay by card or bank' }).click();
  await page.getByRole('button', { name: 'Cancel and go back' }).click();
  await page.getByText('You have not paid for “Starter”').waitFor();
}, 120_000);
