import { beforeAll, describe, expect, test } from 'vitest';
import { registerApplication, type TestApplication } from '../../../test/harness/applications.ts';
import { OauthCalls } from '../../../test/harness/oauth-flow.ts';
import {
  expectCallback,
  expectPage,
  newPkce,
  startTestProvider,
  TestBrowser,
} from '../../../test/harness/oauth.ts';
import { registerPerson, signIn, type Person } from '../../../test/harness/people.ts';

const service = await startTestProvider();
const wish = {
  type: 'credits_spend',
  allowance: 100,
  period: 'month',
  maxPerSpend: 50,
  kinds: ['free', 'paid'],
};
let app: TestApplication;
let calls: OauthCalls;

beforeAll(async () => {
  const { accessToken } = await signIn(service, await registerPerson(service));
  app = await registerApplication(service, accessToken, { access: 'open' });
  calls = new OauthCalls(service, app);
});

const { verifier, challenge } = newPkce();
const askFor = (details: unknown) =>
  calls.authorizeUrl({
    scope: 'openid credits:spend',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    authorization_details: JSON.stringify(details),
  });

/** As far as the consent page. */
const toConsent = async (person: Person, browser: TestBrowser) => {
  const page = expectPage(await browser.open(askFor([wish])), 'sign-in');
  return expectPage(
    await browser.submit(page, { email: person.email, password: person.password }),
    'consent',
  );
};
const spend = (token: string, amount: number, key: string) =>
  service.send('POST', '/api/v1/credits/use', {
    token,
    body: { amount, appId: app.clientId, description: 'Answer', idempotencyKey: key },
  });

describe('a budget that a person grants', () => {
  test('is lowered, spent up to, raised through the link of the refusal, and revoked', async () => {
    const person = await registerPerson(service);
    const browser = new TestBrowser(service);
    const consent = await toConsent(person, browser);
    expect(consent.page.budget).toMatchObject({
      allowance: 100,
      period: 'month',
      maxPerSpend: 50,
      current: null,
    });
    const higher = await browser.submit(consent, { decision: 'allow', allowance: '101', maxPerSpend: '50' });
    expect(expectPage(higher, 'consent').page.problem).toMatchObject({
      code: 'request.invalid',
      field: 'allowance',
    });
    expect(expectPage(higher, 'consent').page.budget.typed).toEqual({ allowance: '101', maxPerSpend: '50' });
    const allowed = await browser.submit(consent, { decision: 'allow', allowance: '30', maxPerSpend: '20' });
    const code = expectCallback(allowed).searchParams.get('code') ?? '';
    const { body: tokens } = await calls.redeem(code, verifier);
    const granted = {
      type: 'credits_spend',
      allowance: 30,
      period: 'month',
      maxPerSpend: 20,
      kinds: ['free', 'paid'],
    };
    expect(tokens.authorization_details).toEqual([expect.objectContaining(granted)]);
    const introspected = await calls.introspect(tokens.access_token);
    expect(introspected.body.authorization_details).toEqual([expect.objectContaining(granted)]);

    expect((await spend(tokens.access_token, 21, 'a')).body).toMatchObject({
      code: 'mandate.exceeded',
      limit: 'maxPerSpend',
    });
    expect((await spend(tokens.access_token, 20, 'b')).status).toBe(200);
    const refused = await spend(tokens.access_token, 20, 'c');
    expect(refused.body).toMatchObject({ code: 'mandate.exceeded', limit: 'allowance', remaining: 10 });

    const page = expectPage(await browser.open(refused.body.raiseUrl), 'budget');
    expect(page.page).toMatchObject({ used: 20, budget: { allowance: 30 } });
    expectPage(await browser.submit(page, { decision: 'cancel', allowance: '60' }), 'notice');
    expect((await spend(tokens.access_token, 20, 'c')).status).toBe(402);
    const saved = await browser.submit(page, { decision: 'save', allowance: '60', maxPerSpend: '' });
    expect(expectPage(saved, 'budget').page).toMatchObject({
      isSaved: true,
      budget: { allowance: 60, maxPerSpend: null },
    });
    expect((await spend(tokens.access_token, 20, 'c')).status).toBe(200);

    const { accessToken } = await signIn(service, person);
    const { body: mine } = await service.send('GET', '/api/v1/users/me/grants', { token: accessToken });
    const [grant] = mine.grants ?? mine;
    const revoked = await service.send('DELETE', `/api/v1/users/me/grants/${grant.id}`, {
      token: accessToken,
    });
    expect(revoked.status).toBeLessThan(300);
    expect((await spend(tokens.access_token, 1, 'd')).status).toBe(401);
    expect((await calls.introspect(tokens.access_token)).body).toEqual({ active: false });
  });

  test('is shown to nobody but the person themselves', async () => {
    const person = await registerPerson(service);
    const browser = new TestBrowser(service);
    const allowed = await browser.submit(await toConsent(person, browser), {
      decision: 'allow',
      allowance: '5',
    });
    const { body: tokens } = await calls.redeem(
      expectCallback(allowed).searchParams.get('code') ?? '',
      verifier,
    );
    const { raiseUrl } = (await spend(tokens.access_token, 6, 'x')).body;
    const stranger = new TestBrowser(service);
    const signInPage = expectPage(await stranger.open(raiseUrl), 'sign-in');
    const other = await registerPerson(service);
    const shown = await stranger.submit(signInPage, { email: other.email, password: other.password });
    expect(expectPage(shown, 'error')).toMatchObject({ status: 404 });
  });

  test('that is a first one is given through the link of the refusal, by whoever signs in there', async () => {
    const person = await registerPerson(service);
    const { tokens } = await calls.obtainTokens({ scope: 'openid credits:spend' }, { person });
    const refused = await spend(tokens.access_token, 5, 'first');
    expect(refused.body.code).toBe('mandate.required');
    const browser = new TestBrowser(service);
    const signInPage = expectPage(await browser.open(refused.body.raiseUrl), 'sign-in');
    const shown = await browser.submit(signInPage, { email: person.email, password: person.password });
    const page = expectPage(shown, 'budget');
    expect(page.page).toMatchObject({
      application: { name: 'Notes', isVerified: false },
      account: { email: person.email },
      budget: { current: null },
    });
    expect(page.text).toContain('A budget for Notes?');
    const wrong = await browser.submit(page, { decision: 'save', allowance: '1e3', maxPerSpend: '6' });
    expect(expectPage(wrong, 'budget').page).toMatchObject({
      problem: { field: 'allowance', detail: expect.stringContaining('must be a whole number from 1') },
      budget: { typed: { allowance: '1e3', maxPerSpend: '6' } },
    });
    expect(expectPage(wrong, 'budget').text).toMatch(/name="allowance" [^>]*value="1e3"/);
    expectPage(await browser.submit(page, { decision: 'cancel', allowance: '7' }), 'notice');
    expect((await spend(tokens.access_token, 5, 'first')).status).toBe(403);
    const saved = await browser.submit(page, { decision: 'save', allowance: '7', maxPerSpend: '6' });
    expect(expectPage(saved, 'budget').page).toMatchObject({
      isSaved: true,
      budget: { allowance: 7, maxPerSpend: 6, period: 'month' },
    });
    expect((await spend(tokens.access_token, 5, 'first')).status).toBe(200);
    const again = expectPage(await browser.open(refused.body.raiseUrl), 'budget');
    expect(again.page).toMatchObject({ used: 5, budget: { current: { allowance: 7, status: 'active' } } });
    expectPage(await browser.open('/mandates/new?appId=app_unknown'), 'error');
    expect(expectPage(await browser.open('/mandates/new'), 'error').status).toBe(400);
  });

  test('is given after all by who was signed out before the form was sent', async () => {
    const person = await registerPerson(service);
    const browser = new TestBrowser(service);
    const path = `/mandates/new?appId=${app.clientId}`;
    const signInPage = expectPage(await browser.open(path), 'sign-in');
    const page = expectPage(await browser.submit(signInPage, person), 'budget');
    browser.cookies.delete('__Host-obol_session');
    const fields = { decision: 'save', allowance: '7' };
    const ended = expectPage(await browser.submit(page, fields), 'error');
    expect([ended.status, ended.page.code]).toEqual([401, 'auth.session_ended']);
    expect(ended.text).toContain('href="/sign-in?next=%2Fmandates%2Fnew%3FappId%3D');
    const again = expectPage(await browser.open(ended.page.signInUrl), 'sign-in');
    const back = expectPage(await browser.submit(again, person), 'budget');
    const saved = expectPage(await browser.submit(back, fields), 'budget');
    const { pathname } = new URL(saved.url);
    browser.cookies.delete('__Host-obol_session');
    const later = await browser.submit(
      { ...page, page: { form: { ...page.page.form, action: pathname } } },
      fields,
    );
    expect(expectPage(later, 'error').page.signInUrl).toBe(`/sign-in?next=${encodeURIComponent(pathname)}`);
  });

  test('goes on after it was paused, and is a new one after it was revoked', async () => {
    const person = await registerPerson(service);
    const browser = new TestBrowser(service);
    const { tokens } = await calls.obtainTokens({ scope: 'openid credits:spend' }, { person, browser });
    const { accessToken: token } = await signIn(service, person);
    const body = { appId: app.clientId, allowance: 9, period: 'day' };
    const { body: mandate } = await service.send('POST', '/api/v1/credits/mandates', { token, body });
    const { id } = mandate;
    const change = (status: string) =>
      service.send('PATCH', `/api/v1/credits/mandates/${id}`, { token, body: { status } });
    expect((await change('paused')).status).toBe(200);
    const { raiseUrl } = (await spend(tokens.access_token, 1, 'paused')).body;
    const page = expectPage(await browser.open(raiseUrl), 'budget');
    expect(page.page.budget.current).toMatchObject({ allowance: 9, period: 'day', status: 'paused' });
    await browser.submit(page, { decision: 'save', allowance: '9', maxPerSpend: '' });
    expect((await spend(tokens.access_token, 1, 'paused')).status).toBe(200);
    await service.send('DELETE', `/api/v1/credits/mandates/${id}`, { token });
    const refused = await spend(tokens.access_token, 1, 'revoked');
    expect(refused.body).toMatchObject({ code: 'mandate.required', reason: 'revoked' });
    expect(expectPage(await browser.open(refused.body.raiseUrl), 'budget').page.budget.current).toBeNull();
  });

  test('a wish that is not clear goes back to the application', async () => {
    for (const details of [
      [{ ...wish, allowance: 0 }],
      [{ ...wish, allowance: 1.5 }],
      [{ ...wish, period: 'year' }],
      [{ ...wish, kinds: [] }],
      [{ ...wish, kinds: ['free', 'free'] }],
      [{ ...wish, maxPerSpend: '5' }],
      [{ ...wish, more: 1 }],
      [wish, wish],
      [{ type: 'payment_initiation' }],
      { type: 'credits_spend' },
      'x',
    ]) {
      const callback = expectCallback(await new TestBrowser(service).open(askFor(details)));
      expect(callback.searchParams.get('error')).toBe('invalid_authorization_details');
    }
  });
});
