import { expect, test } from 'vitest';
import { registerApplication } from '../../../test/harness/applications.ts';
import { OauthCalls } from '../../../test/harness/oauth-flow.ts';
import {
  expectCallback,
  expectPage,
  newPkce,
  startTestProvider,
  TestBrowser,
} from '../../../test/harness/oauth.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';

const service = await startTestProvider({ env: { CREDITS_SCALE: '6' } });
const { accessToken } = await signIn(service, await registerPerson(service));
const app = await registerApplication(service, accessToken, { access: 'open' });
const calls = new OauthCalls(service, app);

test('with a scale a budget is asked for in units, and agreed to in credits', async () => {
  const { verifier, challenge } = newPkce();
  const wish = { type: 'credits_spend', allowance: 5_000_000, period: 'month', maxPerSpend: 2_500_000 };
  const url = calls.authorizeUrl({
    scope: 'openid credits:spend',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    authorization_details: JSON.stringify([wish]),
  });
  const browser = new TestBrowser(service);
  const person = await registerPerson(service);
  const consent = expectPage(
    await browser.submit(expectPage(await browser.open(url), 'sign-in'), person),
    'consent',
  );
  expect(consent.text).toContain('It may spend up to 5 credits a month, at most 2.5 at a time.');
  expect(consent.text).toMatch(/min="0.000001" max="5" step="0.000001" [^>]*name="allowance" value="5"/);
  const typed = { allowance: '5.000001', maxPerSpend: '0.25' };
  const more = expectPage(await browser.submit(consent, { decision: 'allow', ...typed }), 'consent');
  expect(more.page).toMatchObject({
    problem: { field: 'allowance', detail: 'must be a number from 0.000001 to 5' },
    budget: { typed },
  });
  const allowed = await browser.submit(consent, { decision: 'allow', allowance: '0.5', maxPerSpend: '0.25' });
  const { body } = await calls.redeem(expectCallback(allowed).searchParams.get('code') ?? '', verifier);
  expect(body.authorization_details).toMatchObject([{ allowance: 500_000, maxPerSpend: 250_000 }]);
});

test('with a scale the page of a budget proposes, takes and shows credits', async () => {
  const browser = new TestBrowser(service);
  const first = expectPage(await browser.open(`/mandates/new?appId=${app.clientId}`), 'sign-in');
  const page = expectPage(await browser.submit(first, await registerPerson(service)), 'budget');
  expect(page.page.budget.allowance).toBe(100_000_000);
  expect(page.text).toContain('It may spend up to 100 credits a month.');
  expect(page.text).toContain('Bought, 100 credits cost €1.00.');
  const given = expectPage(await browser.submit(page, { decision: 'save', allowance: '100' }), 'budget');
  expect(given.page.budget.allowance).toBe(100_000_000);
  const raise = expectPage(await browser.open(new URL(given.url).pathname), 'budget');
  expect(raise.text).toContain('has used 0 of the 100 credits');
  const fields = { decision: 'save', allowance: '0.75', maxPerSpend: '0.1' };
  const saved = expectPage(await browser.submit(raise, fields), 'budget');
  expect(saved.page.budget).toMatchObject({ allowance: 750_000, maxPerSpend: 100_000 });
  expect(saved.text).toContain('It may spend up to 0.75 credits a month, at most 0.1 at a time.');
});
