import { expect, test } from 'vitest';
import { codeOf, registerWithTotp } from '../../../../test/harness/factors.ts';
import {
  expectCallback,
  expectPage,
  startTestProvider,
  TestBrowser,
} from '../../../../test/harness/oauth.ts';
import { startStandIn } from '../../../../test/harness/stand-in-provider.ts';
import {
  accountsOf,
  companyEnv,
  confirmAddress,
  isSignedIn,
  locationOf,
  newClaims,
  signInAtStandIn,
  tokensOf,
} from '../../../../test/harness/upstream.ts';

const company = await startStandIn();
const frontEnd = 'https://app.example.com';
const service = await startTestProvider({ env: { CORS_ORIGINS: frontEnd, ...companyEnv(company) } });

/** Somebody with a second factor and a confirmed address, who comes from the provider. */
async function arrive(path?: string) {
  const holder = await registerWithTotp(service);
  await confirmAddress(service, holder);
  const browser = new TestBrowser(service);
  const response = await signInAtStandIn(browser, company, newClaims(holder.email), path);
  expect(isSignedIn(browser)).toBe(false);
  const page = expectPage(await browser.open(locationOf(response)), 'second-factor');
  return { holder, browser, page };
}

test('a sign-in at a provider asks for the second factor like one by password', async () => {
  const { holder, browser, page } = await arrive();
  expectPage(await browser.submit(page, { code: '000000' }), 'second-factor');
  expect(isSignedIn(browser)).toBe(false);
  await browser.submit(page, { code: codeOf(service, holder.secret) });
  expect((await tokensOf(service, browser)).user.id).toBe(holder.id);
});

test('a front end gets its code after the second factor, and none before it', async () => {
  const { holder, browser, page } = await arrive(`/api/v1/auth/social/company?returnTo=${frontEnd}/`);
  const next = new URL(page.page.form.action, service.issuer).searchParams.get('next') ?? '';
  expect((await browser.request(next)).status).toBe(400);
  const again = await arrive(`/api/v1/auth/social/company?returnTo=${frontEnd}/`);
  const code = codeOf(service, again.holder.secret);
  const landed = expectCallback(await again.browser.submit(again.page, { code }));
  expect(landed.origin).toBe(frontEnd);
  const body = { code: landed.searchParams.get('code') };
  const headers = { origin: frontEnd };
  const answer = await service.send('POST', '/api/v1/auth/session-to-token', { body, headers });
  expect(answer.body.user.id).toBe(again.holder.id);
  expect(holder.id).not.toBe(again.holder.id);
});

test('a session that was opened so knows its account: the provider signs out, too', async () => {
  const { holder, browser, page } = await arrive();
  await browser.submit(page, { code: codeOf(service, holder.secret) });
  const away = await browser.request('/api/logout');
  expect(locationOf(away)).toMatch(new RegExp(`^${company.issuer}/end-session\\?`));
});

test('disconnecting the account ends such sessions, and sign-ins that wait for the second factor', async () => {
  const { holder, browser, page } = await arrive();
  await browser.submit(page, { code: codeOf(service, holder.secret) });
  const { accessToken } = await tokensOf(service, browser);
  service.clock.advance({ seconds: 30 });
  const waiting = new TestBrowser(service);
  const response = await signInAtStandIn(waiting, company, { ...company.claims });
  const late = expectPage(await waiting.open(locationOf(response)), 'second-factor');
  const [{ id }] = await accountsOf(service, holder.accessToken);
  const removed = await service.send('DELETE', `/api/v1/auth/accounts/${id}`, { token: holder.accessToken });
  expect(removed.status).toBe(200);
  expect((await service.send('GET', '/api/v1/auth/me', { token: accessToken })).status).toBe(401);
  await waiting.submit(late, { code: codeOf(service, holder.secret) });
  expect(isSignedIn(waiting)).toBe(false);
});
