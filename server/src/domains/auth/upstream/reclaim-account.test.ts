import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
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
const newEmail = () => `${randomUUID()}@example.com`;

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

  test('whoever confirms an address by a reset leaves no account of the one before', async () => {
    const email = newEmail();
    const sub = newSub();
    await signInAtStandIn(newBrowser(), company, { sub, email });
    await service.send('POST', '/api/v1/auth/forgot-password', { body: { email } });
    const mails = await service.mails(email);
    const link = mails.flatMap(({ links }) => links).find((url) => url.includes('reset-password'));
    const token = new URL(link ?? '').searchParams.get('token');
    const body = { token, newPassword: 'another good password' };
    expect((await service.send('POST', '/api/v1/auth/reset-password', { body })).status).toBe(200);
    const browser = newBrowser();
    const response = await signInAtStandIn(browser, company, { sub, email });
    expect(locationOf(response)).toBe('/sign-in?error=auth.upstream_email_taken');
  });
});
