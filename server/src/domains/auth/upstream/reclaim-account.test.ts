import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { makeKey, verifyKey } from '../../../../test/harness/api-keys.ts';
import { registerApplication } from '../../../../test/harness/applications.ts';
import { untilSomebodyWaits } from '../../../../test/harness/locks.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';
import { registerWithTotp } from '../../../../test/harness/factors.ts';
import { startTestProvider, TestBrowser } from '../../../../test/harness/oauth.ts';
import { logIn, registerPerson, signIn } from '../../../../test/harness/people.ts';
import { startStandIn } from '../../../../test/harness/stand-in-provider.ts';
import {
  accountsOf,
  asOwner,
  companyEnv,
  confirmAddress,
  eventsOf,
  isSignedIn,
  locationOf,
  newClaims,
  signInAtStandIn,
  tokensOf,
} from '../../../../test/harness/upstream.ts';

const company = await startStandIn();
const service = await startTestProvider({ env: { ...companyEnv(company) } });

const newBrowser = () => new TestBrowser(service);
const newSub = () => `person-${randomUUID()}`;
const newPassword = 'another good password';
const newEmail = () => `${randomUUID()}@example.com`;

const resetPassword = async (email: string) => {
  await service.send('POST', '/api/v1/auth/forgot-password', { body: { email } });
  const mails = await service.mails(email);
  const link = mails.flatMap(({ links }) => links).find((url) => url.includes('reset-password'));
  const token = new URL(link ?? '').searchParams.get('token');
  const body = { token, newPassword };
  expect((await service.send('POST', '/api/v1/auth/reset-password', { body })).status).toBe(200);
};

describe('21. an unverified account with the address of a verified sign-in elsewhere', () => {
  test('is reclaimed: its password, sessions, links and accounts elsewhere are void', async () => {
    const squatter = await registerPerson(service);
    const session = await signIn(service, squatter);
    const squatterSub = newSub();
    await asOwner(
      service,
      `insert into auth.accounts (id, user_id, provider, provider_account_id, created_at, last_used_at)
       values (gen_random_uuid(), $1, $2, $3, now(), now())`,
      [squatter.id, company.issuer, squatterSub],
    );
    await service.send('POST', '/api/v1/auth/forgot-password', { body: { email: squatter.email } });
    const [mail] = await service.mails(squatter.email);
    const token = new URL(mail?.links[0] ?? '').searchParams.get('token');

    const browser = newBrowser();
    const claims = newClaims(squatter.email);
    await signInAtStandIn(browser, company, claims);
    const { user, accessToken } = await tokensOf(service, browser);
    expect(user).toMatchObject({ id: squatter.id, emailVerified: true, credits: 150 });
    expect((await logIn(service, squatter)).status).toBe(401);
    expect((await service.send('GET', '/api/users/me', { token: session.accessToken })).status).toBe(401);
    const refreshed = await service.send('POST', '/api/v1/auth/refresh', {
      body: { refreshToken: session.refreshToken },
    });
    expect(refreshed.status).toBe(401);
    const reset = await service.send('POST', '/api/v1/auth/reset-password', {
      body: { token, newPassword: 'another good password' },
    });
    expect(reset.body.code).toBe('auth.link_invalid');
    expect(await accountsOf(service, accessToken)).toMatchObject([{ email: squatter.email }]);
    expect(await eventsOf(service, accessToken)).toContain('account.reclaimed');
    const stranger = newBrowser();
    await signInAtStandIn(stranger, company, { sub: squatterSub });
    expect(isSignedIn(stranger)).toBe(false);
  });

  test('is not reclaimed by an address that the provider has not confirmed', async () => {
    const person = await registerPerson(service);
    const browser = newBrowser();
    await signInAtStandIn(browser, company, { sub: newSub(), email: person.email, email_verified: false });
    expect(isSignedIn(browser)).toBe(false);
    expect((await logIn(service, person)).status).toBe(200);
  });

  test('is linked when both sides have confirmed it; the password stays', async () => {
    const person = await registerPerson(service);
    await confirmAddress(service, person);
    const browser = newBrowser();
    await signInAtStandIn(browser, company, newClaims(person.email));
    const { user, accessToken } = await tokensOf(service, browser);
    expect(user.id).toBe(person.id);
    expect((await logIn(service, person)).status).toBe(200);
    expect(await eventsOf(service, accessToken)).toContain('account.linked');
  });

  test('whoever confirms an address by a reset leaves no key and nothing allowed by the one before', async () => {
    const squatter = await registerPerson(service);
    const app = await registerApplication(
      service,
      (await signIn(service, await registerPerson(service))).accessToken,
      {
        access: 'open',
      },
    );
    const { accessToken } = await signIn(service, squatter);
    const { key } = await makeKey(service, accessToken);
    expect((await verifyKey(service, key)).body.valid).toBe(true);
    const mandate = { appId: app.clientId, allowance: 40, period: 'month' };
    const agreed = await service.send('POST', '/api/v1/credits/mandates', {
      token: accessToken,
      body: mandate,
    });
    expect(agreed.status).toBe(201);
    await resetPassword(squatter.email);
    expect((await verifyKey(service, key)).body).toMatchObject({ valid: false });
    const { accessToken: owned } = await signIn(service, { ...squatter, password: newPassword });
    expect(await eventsOf(service, owned)).toContain('account.reclaimed');
    const agreedTo = await service.send('GET', `/api/v1/credits/mandates/${agreed.body.id}`, {
      token: owned,
    });
    expect(agreedTo.body.status).toBe('revoked');
    const { key: kept } = await makeKey(service, owned);
    await resetPassword(squatter.email);
    expect((await verifyKey(service, kept)).body.valid).toBe(true);
  });

  test('an address that is given up meanwhile leads to nobody who had it', async () => {
    const person = await registerPerson(service);
    await confirmAddress(service, person);
    const owner = await connectAsOwner(service);
    await owner.query('begin');
    await owner.query('update auth.users set email = $1 where id = $2', [newEmail(), person.id]);
    const browser = newBrowser();
    const arriving = signInAtStandIn(browser, company, newClaims(person.email));
    await untilSomebodyWaits(owner);
    await owner.query('commit');
    await arriving;
    const { user } = await tokensOf(service, browser);
    expect(user).toMatchObject({ email: person.email });
    expect(user.id).not.toBe(person.id);
  });

  test('a reset does not get past a second factor, and confirms no address for who holds it', async () => {
    const holder = await registerWithTotp(service);
    await resetPassword(holder.email);
    expect((await logIn(service, holder, newPassword)).body.twoFactorRequired).toBe(true);
    const browser = newBrowser();
    await signInAtStandIn(browser, company, newClaims(holder.email));
    expect((await tokensOf(service, browser)).user).toMatchObject({ id: holder.id, emailVerified: true });
    expect((await logIn(service, holder, newPassword)).status).toBe(401);
  });

  test('whoever confirms an address by a reset leaves no account of the one before', async () => {
    const email = newEmail();
    const sub = newSub();
    await signInAtStandIn(newBrowser(), company, { sub, email });
    await resetPassword(email);
    const browser = newBrowser();
    const response = await signInAtStandIn(browser, company, { sub, email });
    expect(locationOf(response)).toBe('/sign-in?error=auth.upstream_email_taken');
  });
});
