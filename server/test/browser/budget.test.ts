import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { registerApplication } from '../harness/applications.ts';
import { OauthCalls } from '../harness/oauth-flow.ts';
import { newPkce, startTestProvider } from '../harness/oauth.ts';
import { registerPerson, signIn } from '../harness/people.ts';
import { openBrowser } from './browser.ts';
import { openOtherOrigin } from './other-origin.ts';

// The cookies of the service end by the clock of the browser, which is the machine's.
const service = await startTestProvider({ startAt: new Date().toISOString() });
const elsewhere = await openOtherOrigin({ host: '127.0.0.1' });
const redirectUri = `${elsewhere.origin}/callback`;
const browser = await openBrowser();
const { accessToken } = await signIn(service, await registerPerson(service));
const given = { name: 'Atlas', access: 'open', redirectUri };
const app = { ...(await registerApplication(service, accessToken, given)), redirectUri };
const calls = new OauthCalls(service, app);

const spend = (token: string, amount: number, idempotencyKey: string) =>
  service.send('POST', '/api/v1/credits/use', {
    token,
    body: { amount, appId: app.clientId, description: 'A map', idempotencyKey },
  });

/** Asks for up to 100 credits a month, at most 50 at a time. */
function requestBudget() {
  const { verifier, challenge } = newPkce();
  const wish = { type: 'credits_spend', allowance: 100, period: 'month', maxPerSpend: 50 };
  const path = calls.authorizeUrl({
    scope: 'openid credits:spend',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    authorization_details: JSON.stringify([wish]),
  });
  return { verifier, url: `${service.issuer}${path}` };
}

test.each([true, false])(
  'somebody new registers, lowers a budget, meets it, raises it and takes it back (JavaScript: %s)',
  async (javaScriptEnabled) => {
    const page = await browser.newPage({ javaScriptEnabled });
    const { verifier, url } = requestBudget();
    const person = { email: `${randomUUID()}@example.com`, password: 'a lantern for the horse', id: '' };

    await page.goto(url);
    expect(await page.locator('h1').innerText()).toBe('Sign in to Atlas');
    await page.getByRole('link', { name: 'Create an account' }).click();
    await page.getByLabel('E-mail address').fill(person.email);
    await page.getByLabel('Password', { exact: true }).fill('password123');
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByText('one of the most common passwords').waitFor();
    expect(await page.getByLabel('E-mail address').inputValue()).toBe(person.email);
    await page.getByLabel('Password', { exact: true }).fill(person.password);
    await page.getByRole('button', { name: 'Create account' }).click();

    await page.getByText('It may spend up to 100 credits a month, at most 50 at a time.').waitFor();
    await page.getByLabel('A month').fill('60');
    await page.getByLabel('At a time').fill('40');
    await page.getByRole('button', { name: 'Allow', exact: true }).click();
    await page.waitForURL(`${redirectUri}?**`);
    const code = new URL(page.url()).searchParams.get('code') ?? '';
    const { body: tokens } = await calls.redeem(code, verifier);
    expect(tokens.authorization_details).toMatchObject([{ allowance: 60, maxPerSpend: 40 }]);

    const [first, second] = [randomUUID(), randomUUID()];
    expect((await spend(tokens.access_token, 40, first)).status).toBe(200);
    const refused = await spend(tokens.access_token, 30, second);
    expect(refused).toMatchObject({ status: 402, body: { code: 'mandate.exceeded' } });

    await page.goto(refused.body.raiseUrl);
    await page.getByText('Atlas has used 40 of the 60 credits').waitFor();
    await page.getByLabel('A month').fill('80');
    await page.getByRole('button', { name: 'Set budget' }).click();
    await page.getByText('The budget is set').waitFor();
    expect((await spend(tokens.access_token, 30, second)).status).toBe(200);

    const { accessToken: own } = await signIn(service, person);
    const { body } = await service.send('GET', '/api/v1/users/me/grants', { token: own });
    expect(body.grants).toMatchObject([{ application: { name: 'Atlas' } }]);
    const revoked = await service.send('DELETE', `/api/v1/users/me/grants/${body.grants[0].id}`, {
      token: own,
    });
    expect(revoked.status).toBe(200);
    expect((await spend(tokens.access_token, 1, randomUUID())).status).toBe(401);
    expect(page.faults).toEqual([]);
  },
  60_000,
);

test('who is signed in chooses, is asked again, or lets in nobody', async () => {
  const page = await browser.newPage();
  const person = await registerPerson(service);
  await page.goto(`${service.issuer}/sign-in`);
  await page.getByLabel('E-mail address').fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('That did not match.').waitFor();
  expect(await page.title()).toBe('Not yet: Sign in – Obol');
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('You are signed in').waitFor();

  await page.goto(`${requestBudget().url}&prompt=select_account`);
  await page.getByRole('button', { name: 'Go on as' }).click();
  await page.getByRole('button', { name: 'Do not allow' }).click();
  await page.waitForURL(`${redirectUri}?**`);
  expect(new URL(page.url()).searchParams.get('error')).toBe('access_denied');

  await page.goto(`${service.issuer}/sign-out`);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('You are signed out').waitFor();
  await page.goto(requestBudget().url);
  expect(await page.locator('h1').innerText()).toBe('Sign in to Atlas');
  await page.getByRole('button', { name: 'Back to Atlas' }).click();
  await page.waitForURL(`${redirectUri}?**`);
});
