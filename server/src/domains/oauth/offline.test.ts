import { beforeAll, expect, test } from 'vitest';
import { registerApplication } from '../../../test/harness/applications.ts';
import { OauthCalls } from '../../../test/harness/oauth-flow.ts';
import { expectPage, startTestProvider, TestBrowser } from '../../../test/harness/oauth.ts';
import { registerPerson, signIn, type Person } from '../../../test/harness/people.ts';

const service = await startTestProvider();
const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
let calls: OauthCalls;
let device: OauthCalls;

beforeAll(async () => {
  const { accessToken } = await signIn(service, await registerPerson(service));
  const register = (given: object) => registerApplication(service, accessToken, { access: 'open', ...given });
  calls = new OauthCalls(service, await register({}));
  const grantTypes = [deviceGrant, 'refresh_token'];
  device = new OauthCalls(service, await register({ type: 'native', redirectUris: [], grantTypes }));
});

/** A device that a person has let in, and the browser in which they did. */
async function connectDevice(scope: string) {
  const { body } = await device.post('/oauth/device', { scope });
  const [person, browser] = [await registerPerson(service), new TestBrowser(service)];
  const enter = expectPage(await browser.open('/device'), 'device-code');
  const confirm = expectPage(await browser.submit(enter, { user_code: body.user_code }), 'device-confirm');
  const page = expectPage(await browser.submit(confirm, { decision: 'confirm' }), 'sign-in');
  const typed = { email: person.email, password: person.password };
  const consent = expectPage(await browser.submit(page, typed), 'consent');
  expectPage(await browser.submit(consent, { decision: 'allow' }), 'device-done');
  const form = { grant_type: deviceGrant, device_code: body.device_code };
  return { tokens: (await device.post('/oauth/token', form)).body, browser };
}

async function signOut(browser: TestBrowser): Promise<void> {
  const page = expectPage(await browser.open('/sign-out'), 'sign-out');
  await browser.submit(page, { decision: 'sign-out' });
}

async function resetPassword({ email }: Person): Promise<number> {
  await service.send('POST', '/api/v1/auth/forgot-password', { body: { email } });
  const links = (await service.mails(email)).flatMap((mail) => mail.links);
  const token = new URL(links.find((link) => link.includes('reset-password')) ?? '').searchParams.get(
    'token',
  );
  const body = { token, newPassword: 'a lantern for correct horses' };
  return (await service.send('POST', '/api/v1/auth/reset-password', { body })).status;
}

test('a device that may go on while the person is away does so after they signed out', async () => {
  const { tokens, browser } = await connectDevice('openid offline_access');
  await signOut(browser);
  const refreshed = await device.refresh(tokens.refresh_token);
  expect(refreshed.status).toBe(200);
  service.clock.advance({ days: 10 });
  expect((await device.refresh(refreshed.body.refresh_token)).status).toBe(200);
});

test('a device that may not stops when the person signs out', async () => {
  const { tokens, browser } = await connectDevice('openid');
  await signOut(browser);
  expect(await device.refresh(tokens.refresh_token)).toMatchObject({
    status: 400,
    body: { error: 'invalid_grant' },
  });
});

test('a reset of the password stops what goes on while the person is away, and the mail says so', async () => {
  const scope = { scope: 'openid offline_access', prompt: 'consent' };
  const { tokens, person, browser } = await calls.obtainTokens(scope);
  const other = await calls.obtainTokens(scope);
  await signOut(browser);
  const me = () => calls.introspect(tokens.access_token);
  expect((await me()).body.active).toBe(true);
  expect(await resetPassword(person)).toBe(200);
  expect((await me()).body).toEqual({ active: false });
  expect((await calls.refresh(tokens.refresh_token)).body.error).toBe('invalid_grant');
  const [notice] = await service.mails(person.email);
  expect(notice?.text).toContain('All devices have been signed out, and all apps');
  expect((await calls.refresh(other.tokens.refresh_token)).status).toBe(200);
});

async function readUserinfo(token: string): Promise<object> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${service.url}/userinfo`, { headers });
  return (await response.json()) as object;
}

test('claims that are asked for at /userinfo are answered there, also after a refresh', async () => {
  const claims = JSON.stringify({ userinfo: { name: null, email: null } });
  const { tokens, person } = await calls.obtainTokens({ scope: 'openid', claims });
  expect(await readUserinfo(tokens.access_token)).toMatchObject({ sub: person.id, email: person.email });
  const { body } = await calls.refresh(tokens.refresh_token);
  expect(await readUserinfo(body.access_token)).toMatchObject({ email: person.email });
  const { tokens: plain } = await calls.obtainTokens({ scope: 'openid' });
  expect(await readUserinfo(plain.access_token)).not.toHaveProperty('email');
});
