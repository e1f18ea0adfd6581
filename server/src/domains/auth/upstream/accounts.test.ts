import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { expectPage, startTestProvider, TestBrowser } from '../../../../test/harness/oauth.ts';
import { registerPerson, signIn } from '../../../../test/harness/people.ts';
import { startStandIn } from '../../../../test/harness/stand-in-provider.ts';
import {
  accountsOf,
  comeBack,
  companyEnv,
  confirmAddress,
  eventsOf,
  goToStandIn,
  locationOf,
  newClaims,
  signInAtStandIn,
  tokensOf,
} from '../../../../test/harness/upstream.ts';

const frontEnd = 'https://app.example.com';
const company = await startStandIn();
const service = await startTestProvider({ env: { CORS_ORIGINS: frontEnd, ...companyEnv(company) } });

const newBrowser = () => new TestBrowser(service);
const newSub = () => `person-${randomUUID()}`;
const newEmail = () => `${randomUUID()}@example.com`;

/** Somebody with a password and a confirmed address, signed in at a browser. */
const arrive = async () => {
  const person = await registerPerson(service);
  await confirmAddress(service, person);
  const browser = newBrowser();
  const page = expectPage(await browser.open('/sign-in'), 'sign-in');
  await browser.submit(page, { email: person.email, password: person.password });
  return { person, browser, token: (await signIn(service, person)).accessToken };
};
const link = (token: string, returnTo = `${frontEnd}/settings`) =>
  service.send('POST', '/api/v1/auth/social/company/link', { token, body: { returnTo } });
const pass = async (browser: TestBrowser, url: string, claims: Record<string, unknown>) => {
  company.claims = claims;
  return comeBack(browser, company, await goToStandIn(browser, company, url));
};

describe('accounts', () => {
  test('are connected while signed in, and sign in from then on', async () => {
    const { person, browser, token } = await arrive();
    const { status, body } = await link(token);
    expect(status).toBe(200);
    const claims = newClaims();
    expect(locationOf(await pass(browser, body.url, claims))).toBe(`${frontEnd}/settings`);
    expect(await accountsOf(service, token)).toMatchObject([{ provider: 'company', email: claims.email }]);
    const other = newBrowser();
    await signInAtStandIn(other, company, claims);
    expect((await tokensOf(service, other)).user.id).toBe(person.id);
    // Once more changes nothing.
    const again = await link(token);
    expect(locationOf(await pass(browser, again.body.url, claims))).toBe(`${frontEnd}/settings`);
    expect(await accountsOf(service, token)).toHaveLength(1);
  });

  test('are connected only in the browser of the one who asks, once, and only if both sides are confirmed', async () => {
    const { browser, token } = await arrive();
    const { body } = await link(token);
    const victim = await arrive();
    const refused = await victim.browser.request(body.url, { headers: { accept: 'application/json' } });
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([
      401,
      'auth.cookie_invalid',
    ]);
    const nobody = await newBrowser().request(body.url, { headers: { accept: 'application/json' } });
    expect(nobody.status).toBe(401);
    const spent = await browser.request(body.url, { headers: { accept: 'application/json' } });
    expect(spent.status).toBe(400);

    const unconfirmed = await link(token);
    const claims = { sub: newSub(), email: newEmail(), email_verified: false };
    expect(locationOf(await pass(browser, unconfirmed.body.url, claims))).toBe(
      `${frontEnd}/settings?error=auth.email_unverified`,
    );
    const person = await registerPerson(service);
    const own = newBrowser();
    const page = expectPage(await own.open('/sign-in'), 'sign-in');
    await own.submit(page, { email: person.email, password: person.password });
    const unverified = await link((await signIn(service, person)).accessToken);
    expect(locationOf(await pass(own, unverified.body.url, newClaims()))).toContain(
      'error=auth.email_unverified',
    );
    expect((await link(token, 'https://evil.example')).body.code).toBe('auth.return_not_allowed');
    expect((await service.send('POST', '/api/v1/auth/social/company/link', { body: {} })).status).toBe(401);
  });

  test('of somebody else are not taken from them', async () => {
    const claims = newClaims();
    const owner = newBrowser();
    await signInAtStandIn(owner, company, claims);
    const { browser, token } = await arrive();
    const { body } = await link(token);
    expect(locationOf(await pass(browser, body.url, claims))).toBe(
      `${frontEnd}/settings?error=auth.account_linked_elsewhere`,
    );
    expect(await accountsOf(service, token)).toEqual([]);
  });

  test('are disconnected, with the sessions that they opened; nobody else can', async () => {
    const { browser, person, token } = await arrive();
    const claims = newClaims();
    await pass(browser, (await link(token)).body.url, claims);
    const there = newBrowser();
    await signInAtStandIn(there, company, claims);
    const { accessToken } = await tokensOf(service, there);
    const [{ id }] = await accountsOf(service, token);
    const stranger = await arrive();
    const remove = (as: string, which = id) =>
      service.send('DELETE', `/api/v1/auth/accounts/${which}`, { token: as });
    expect((await remove(stranger.token)).status).toBe(404);
    expect((await remove(token, randomUUID())).status).toBe(404);
    expect((await remove(token, 'x')).status).toBe(400);
    expect((await remove(token)).status).toBe(200);
    expect((await remove(token)).status).toBe(404);
    expect((await service.send('GET', '/api/users/me', { token: accessToken })).status).toBe(401);
    expect(await eventsOf(service, token)).toContain('account.unlinked');
    const subjects = async () => (await service.mails(person.email)).map(({ subject }) => subject);
    await expect
      .poll(subjects)
      .toEqual(
        expect.arrayContaining([
          'Another way to sign in to your Obol account',
          'A way to sign in to your Obol account was removed',
        ]),
      );
  });

  test('the last way to sign in stays, also when the last two are removed at once', async () => {
    const email = newEmail();
    const browser = newBrowser();
    await signInAtStandIn(browser, company, newClaims(email));
    const { accessToken: token } = await tokensOf(service, browser);
    const [only] = await accountsOf(service, token);
    const remove = (id: string) => service.send('DELETE', `/api/v1/auth/accounts/${id}`, { token });
    expect(await remove(only.id)).toMatchObject({ status: 409, body: { code: 'auth.last_way_in' } });
    await signInAtStandIn(newBrowser(), company, newClaims(email));
    const both = await accountsOf(service, token);
    expect(both).toHaveLength(2);
    const statuses = (await Promise.all(both.map(({ id }) => remove(id)))).map(({ status }) => status);
    expect(statuses.toSorted((one, other) => one - other)).toEqual([200, 409]);
    expect(await accountsOf(service, token)).toHaveLength(1);
  });

  test('are disconnected, as they are connected, after a sign-in of the last half hour only', async () => {
    const { browser, person, token } = await arrive();
    await pass(browser, (await link(token)).body.url, newClaims());
    const { refreshToken } = await signIn(service, person);
    service.clock.advance({ seconds: 1801 });
    const { body } = await service.send('POST', '/api/v1/auth/refresh', { body: { refreshToken } });
    const [{ id }] = await accountsOf(service, body.accessToken);
    const remove = (as: string) => service.send('DELETE', `/api/v1/auth/accounts/${id}`, { token: as });
    expect(await remove(body.accessToken)).toMatchObject({
      status: 403,
      body: { code: 'auth.step_up_required', methods: ['password'] },
    });
    const raised = await service.send('POST', '/api/v1/auth/step-up', {
      token: body.accessToken,
      body: { password: person.password },
    });
    expect((await remove(raised.body.accessToken)).status).toBe(200);
  });
});
