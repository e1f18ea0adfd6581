import { expect, test } from 'vitest';
import { registerApplication } from '../harness/applications.ts';
import { OauthCalls } from '../harness/oauth-flow.ts';
import { startTestProvider } from '../harness/oauth.ts';
import { registerPerson, signIn, type Person } from '../harness/people.ts';
import { openBrowser, type WatchedPage } from './browser.ts';
import { openOtherOrigin } from './other-origin.ts';

const service = await startTestProvider({ startAt: new Date().toISOString() });
const elsewhere = await openOtherOrigin({ host: '127.0.0.1' });
const browser = await openBrowser();
const goodbyeUri = `${elsewhere.origin}/goodbye`;
const { accessToken } = await signIn(service, await registerPerson(service));
const app = await registerApplication(service, accessToken, {
  name: 'Atlas',
  access: 'open',
  redirectUri: `${elsewhere.origin}/callback`,
  postLogoutRedirectUris: [goodbyeUri],
  grantTypes: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
});
const calls = new OauthCalls(service, app);

async function signInAt(page: WatchedPage, { email, password }: Person): Promise<void> {
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

test('a device is connected by its code, after the person has seen whose it is', async () => {
  const page = await browser.newPage();
  const { body: device } = await calls.post('/oauth/device', { client_id: app.clientId, scope: 'openid' });
  await page.goto(device.verification_uri);
  await page.getByLabel('Code').fill('aaaa-aaaa');
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByText('That code does not work.').waitFor();
  await page.getByLabel('Code').fill(device.user_code.toLowerCase());
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByText('Connect Atlas?').waitFor();
  expect(await page.locator('.code.shown').innerText()).toBe(device.user_code);
  await page.getByRole('button', { name: 'Yes, connect it' }).click();
  await signInAt(page, await registerPerson(service));
  await page.getByRole('button', { name: 'Allow', exact: true }).click();
  await page.getByText('Your device is connected').waitFor();
  const grant = {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: device.device_code,
  };
  expect((await calls.post('/oauth/token', grant)).body).toMatchObject({ token_type: 'Bearer' });
  expect(page.faults).toEqual([]);
});

test('who signs out at an application goes back to it, signed out everywhere', async () => {
  const page = await browser.newPage();
  await page.goto(`${service.issuer}/sign-in`);
  await signInAt(page, await registerPerson(service));
  await page.getByText('You are signed in').waitFor();
  const query = new URLSearchParams({ client_id: app.clientId, post_logout_redirect_uri: goodbyeUri });
  await page.goto(`${service.issuer}/logout?${query}`);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL(`${goodbyeUri}**`);
  expect(page.faults).toEqual([]);
  await page.goto(`${service.issuer}/sign-out`);
  await page.getByText('You are signed out').waitFor();
});
