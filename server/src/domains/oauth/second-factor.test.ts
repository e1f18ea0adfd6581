import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { registerApplication } from '../../../test/harness/applications.ts';
import { codeOf, registerWithTotp } from '../../../test/harness/factors.ts';
import { OauthCalls, redirectUri } from '../../../test/harness/oauth-flow.ts';
import {
  expectCallback,
  expectPage,
  newPkce,
  startTestProvider,
  TestBrowser,
  type ShownPage,
} from '../../../test/harness/oauth.ts';
import { registerPerson, signIn, type Person } from '../../../test/harness/people.ts';

const service = await startTestProvider();
let plain: OauthCalls;
let strict: OauthCalls;
const secondFactor = 'urn:obol:second-factor';

beforeAll(async () => {
  const { accessToken } = await signIn(service, await registerPerson(service));
  const make = async (given: object) =>
    new OauthCalls(service, await registerApplication(service, accessToken, { access: 'open', ...given }));
  [plain, strict] = [await make({}), await make({ name: 'Vault', requireSecondFactor: true })];
});

const typed = ({ email, password }: Person) => ({ email, password });

/** Opens an authorization request in a browser. */
async function begin(
  calls: OauthCalls,
  params: Record<string, string> = {},
  browser = new TestBrowser(service),
) {
  const { verifier, challenge } = newPkce();
  const pkce = { code_challenge: challenge, code_challenge_method: 'S256' };
  const shown = await browser.open(calls.authorizeUrl({ ...pkce, ...params }));
  const finish = async (at: ShownPage | URL) => {
    const callback = at instanceof URL ? at : await browser.submit(at, { decision: 'allow' });
    const code = expectCallback(callback).searchParams.get('code') ?? '';
    return (await calls.redeem(code, verifier)).body;
  };
  return { browser, shown, finish };
}

test('the pages ask for the second step, and nothing gets past it', async () => {
  const holder = await registerWithTotp(service);
  const { browser, shown, finish } = await begin(plain);
  const second = expectPage(
    await browser.submit(expectPage(shown, 'sign-in'), typed(holder)),
    'second-factor',
  );
  expect([...browser.cookies.keys()]).not.toContain('__Host-obol_session');
  const elsewhere = await browser.open(plain.authorizeUrl({ prompt: 'none' }));
  expect(expectCallback(elsewhere).searchParams.get('error')).toBeTruthy();
  const wrong = expectPage(await browser.submit(second, { code: '000000' }), 'second-factor');
  expect([wrong.status, wrong.page.problem]).toEqual([403, { code: 'auth.code_wrong', field: 'code' }]);
  const consent = await browser.submit(wrong, { code: codeOf(service, holder.secret) });
  const tokens = await finish(expectPage(consent, 'consent'));
  expect(decodeJwt(tokens.id_token)).toMatchObject({ acr: secondFactor, amr: ['pwd', 'otp', 'mfa'] });
  expect(decodeJwt(tokens.access_token)).toMatchObject({ acr: secondFactor, amr: ['pwd', 'otp', 'mfa'] });
  const refreshed = await plain.refresh(tokens.refresh_token);
  expect(decodeJwt(refreshed.body.access_token)).toMatchObject({ acr: secondFactor });
});

test('showing anew that it is still you takes the second step, too', async () => {
  const holder = await registerWithTotp(service);
  const { browser, shown, finish } = await begin(plain);
  const second = await browser.submit(expectPage(shown, 'sign-in'), typed(holder));
  const consent = await browser.submit(expectPage(second, 'second-factor'), {
    code: codeOf(service, holder.secret),
  });
  await finish(consent);
  service.clock.advance({ minutes: 5 });
  const again = await begin(plain, { prompt: 'login' }, browser);
  const next = await browser.submit(expectPage(again.shown, 'sign-in'), typed(holder));
  const done = await browser.submit(expectPage(next, 'second-factor'), {
    code: codeOf(service, holder.secret),
  });
  const tokens = await again.finish(done);
  expect(decodeJwt(tokens.id_token)['auth_time']).toBe(Math.floor(service.clock.now().getTime() / 1000));
});

test('a sign-in that waited too long begins again', async () => {
  const holder = await registerWithTotp(service);
  const { browser, shown } = await begin(plain);
  const second = expectPage(
    await browser.submit(expectPage(shown, 'sign-in'), typed(holder)),
    'second-factor',
  );
  service.clock.advance({ minutes: 10 });
  expectPage(await browser.submit(second, { code: codeOf(service, holder.secret) }), 'sign-in');
});

describe('an application that wants a second factor', () => {
  test('asks who signed in without for it, in the same session', async () => {
    const holder = await registerWithTotp(service);
    const browser = new TestBrowser(service);
    const first = await begin(plain, {}, browser);
    const second = await browser.submit(expectPage(first.shown, 'sign-in'), typed(holder));
    const code = codeOf(service, holder.secret);
    const consent = await browser.submit(expectPage(second, 'second-factor'), { code, rememberDevice: 'on' });
    await first.finish(consent);
    await browser
      .open('/sign-out')
      .then((page) => browser.submit(expectPage(page, 'sign-out'), { decision: 'sign-out' }));
    const remembered = await begin(plain, {}, browser);
    const back = await browser.submit(expectPage(remembered.shown, 'sign-in'), typed(holder));
    expect(decodeJwt((await remembered.finish(back)).id_token)).toMatchObject({ amr: ['pwd'] });

    const vault = await begin(strict, {}, browser);
    const asked = expectPage(vault.shown, 'second-factor');
    expect(asked.page).toMatchObject({ reason: 'app', methods: ['totp', 'backup_code'] });
    service.clock.advance({ seconds: 30 });
    expect((await browser.submit(asked, { code: '000000' })) instanceof URL).toBe(false);
    const agreed = await browser.submit(asked, { code: codeOf(service, holder.secret) });
    expect(decodeJwt((await vault.finish(expectPage(agreed, 'consent'))).id_token)).toMatchObject({
      acr: secondFactor,
    });
  });

  test('leads who has none to where they set one up, and back', async () => {
    const person = await registerPerson(service);
    const { browser, shown, finish } = await begin(strict);
    const needed = expectPage(
      await browser.submit(expectPage(shown, 'sign-in'), typed(person)),
      'factor-needed',
    );
    const still = expectPage(await browser.submit(needed, { decision: 'continue' }), 'factor-needed');
    const security = expectPage(await browser.open(still.page.setUpUrl), 'security');
    const setUp = await browser.open(security.page.setUp.action, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(security.page.setUp.hidden).toString(),
    });
    const { page } = expectPage(setUp, 'totp-set-up');
    const codes = await browser.submit(setUp as ShownPage, { code: codeOf(service, page.secret) });
    const { continueUrl } = expectPage(codes, 'backup-codes').page;
    const overview = expectPage(await browser.open(continueUrl), 'security');
    const consent = expectPage(await browser.open(overview.page.continueUrl), 'consent');
    expect(decodeJwt((await finish(consent)).id_token)).toMatchObject({ acr: secondFactor });
  });

  test('is told interaction_required when no page may be shown, and access_denied when it is left', async () => {
    const person = await registerPerson(service);
    const { browser, shown } = await begin(strict);
    const needed = await browser.submit(expectPage(shown, 'sign-in'), typed(person));
    const silent = await begin(strict, { prompt: 'none' }, browser);
    expect(expectCallback(silent.shown).searchParams.get('error')).toBe('interaction_required');
    const left = await browser.submit(expectPage(needed, 'factor-needed'), { decision: 'cancel' });
    expect(expectCallback(left).searchParams.get('error')).toBe('access_denied');
  });

  test('gets no code by the JSON flow either', async () => {
    const person = await registerPerson(service);
    const { challenge } = newPkce();
    const asked = {
      clientId: strict.client.clientId,
      redirectUrl: redirectUri,
      code_challenge: challenge,
      code_challenge_method: 's256',
    };
    const post = (path: string, body: object) =>
      service.send('POST', `/api/oauth${path}`, { body: { ...asked, ...body } });
    const refused = await post('/authorize', typed(person));
    expect(refused).toMatchObject({
      status: 403,
      body: { code: 'auth.second_factor_required', methods: [] },
    });
    const { accessToken } = await signIn(service, person);
    const byToken = await post('/authorize-with-token', { token: accessToken });
    expect(byToken.body.code).toBe('auth.second_factor_required');
  });
});

test('an essential acr is met by who has a second factor; one that is only preferred does not hold up', async () => {
  const claims = JSON.stringify({ id_token: { acr: { essential: true, value: secondFactor } } });
  const person = await registerPerson(service);
  const { browser, shown } = await begin(plain, { claims });
  expectPage(await browser.submit(expectPage(shown, 'sign-in'), typed(person)), 'factor-needed');
  const other = await begin(plain, { acr_values: secondFactor });
  const consent = await other.browser.submit(expectPage(other.shown, 'sign-in'), typed(person));
  const tokens = await other.finish(expectPage(consent, 'consent'));
  expect(decodeJwt(tokens.id_token)).toMatchObject({ acr: 'urn:obol:password' });
});

test('DevPortal’s JSON flow: the password alone gets a challenge, the code gets the code', async () => {
  const holder = await registerWithTotp(service);
  const { verifier, challenge } = newPkce();
  const { clientId } = plain.client;
  const asked = {
    clientId,
    redirectUrl: redirectUri,
    code_challenge: challenge,
    code_challenge_method: 's256',
  };
  const post = (path: string, body: object) =>
    service.send('POST', `/api/oauth${path}`, {
      body: { ...asked, ...body },
      headers: { origin: 'https://any.example' },
    });
  const { status, body } = await post('/authorize', typed(holder));
  expect([status, body.code, body.methods]).toEqual([
    403,
    'auth.second_factor_required',
    ['totp', 'backup_code'],
  ]);
  const { challengeToken } = body;
  const second = (code: string) => post('/authorize-with-second-factor', { challengeToken, code });
  expect((await second('000000')).body.code).toBe('auth.code_wrong');
  const answer = await second(codeOf(service, holder.secret));
  expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  const redeemed = await service.send('POST', '/api/oauth/token', {
    body: { code: answer.body.code, code_verifier: verifier, clientId },
  });
  expect(redeemed.body.user.email).toBe(holder.email);
  expect((await second(codeOf(service, holder.secret, 1))).body.code).toBe('auth.challenge_invalid');
});
