import jsqr from 'jsqr';
import { decodeJwt } from 'jose';
import { PNG } from 'pngjs';
import { expect, test } from 'vitest';
import { registerApplication } from '../harness/applications.ts';
import { codeOf, registerWithTotp } from '../harness/factors.ts';
import { OauthCalls } from '../harness/oauth-flow.ts';
import { newPkce, startTestProvider } from '../harness/oauth.ts';
import { registerPerson, signIn, type Person } from '../harness/people.ts';
import { openBrowser, type WatchedPage } from './browser.ts';
import { openOtherOrigin } from './other-origin.ts';

const elsewhere = await openOtherOrigin({ host: '127.0.0.1' });
const service = await startTestProvider({ startAt: new Date().toISOString() });
const browser = await openBrowser();

const button = (page: WatchedPage, name: string) => page.getByRole('button', { name, exact: true });
const heading = (page: WatchedPage, name: string) => page.getByRole('heading', { name }).waitFor();

async function signInAt(page: WatchedPage, { email, password }: Person): Promise<void> {
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await button(page, 'Sign in').click();
}

/** Opens the page about sign-in security, signing in on the way. */
async function openSecurity(page: WatchedPage, person: Person): Promise<void> {
  await page.goto(`${service.issuer}/account/security`);
  await signInAt(page, person);
  await heading(page, 'Sign-in security');
}

async function signOut(page: WatchedPage): Promise<void> {
  await page.goto(`${service.issuer}/sign-out`);
  await button(page, 'Sign out').click();
  await heading(page, 'You are signed out');
}

/** A phone that keeps passkeys and asks for a fingerprint, as Chromium plays it. */
async function addAuthenticator(page: WatchedPage) {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return { session, authenticatorId };
}

async function addPasskey(page: WatchedPage): Promise<void> {
  await page.getByLabel('Name of the passkey').fill("Ada's phone");
  await button(page, 'Add a passkey').click();
  await heading(page, 'Keep these codes');
  await page.getByRole('link', { name: 'I have kept them' }).click();
  await heading(page, 'Sign-in security');
}

test('an app is set up by its QR code, then asked for; a backup code stands in for it', async () => {
  const page = await browser.newPage();
  const person = await registerPerson(service);
  await openSecurity(page, person);
  await button(page, 'Set up an app').click();
  await heading(page, 'Set up an app for codes');
  const { data, width, height } = PNG.sync.read(await page.locator('.qr-code').screenshot());
  const scanned = new URL(jsqr.default(new Uint8ClampedArray(data), width, height)?.data ?? '');
  const secret = scanned.searchParams.get('secret') ?? '';
  expect(await page.getByText(secret).count()).toBe(1);
  await page.getByLabel('Code', { exact: true }).fill('000000');
  await button(page, 'Switch on').click();
  await page.getByText('That code is not right').waitFor();
  await page.getByLabel('Code', { exact: true }).fill(codeOf(service, secret));
  await button(page, 'Switch on').click();
  await heading(page, 'Keep these codes');
  const codes = await page.locator('.backup-codes code').allInnerTexts();
  expect(codes).toHaveLength(10);

  await signOut(page);
  service.clock.advance({ seconds: 30 });
  await page.goto(`${service.issuer}/sign-in`);
  await signInAt(page, person);
  await heading(page, 'One more step');
  await page.getByLabel('Code', { exact: true }).fill(codeOf(service, secret));
  await button(page, 'Go on').click();
  await heading(page, 'You are signed in');

  await signOut(page);
  await page.goto(`${service.issuer}/sign-in`);
  await signInAt(page, person);
  await page.getByLabel('Code', { exact: true }).fill(codes[0] ?? '');
  await page.getByLabel('Do not ask on this device').check();
  await button(page, 'Go on').click();
  await heading(page, 'You are signed in');
  await signOut(page);
  await page.goto(`${service.issuer}/sign-in`);
  await signInAt(page, person);
  await heading(page, 'You are signed in');
  expect(page.faults).toEqual([]);
}, 60_000);

test('a passkey is registered, signs in without a password, and is the second factor of one', async () => {
  const page = await browser.newPage();
  const person = await registerPerson(service);
  const { session, authenticatorId } = await addAuthenticator(page);
  await openSecurity(page, person);
  await addPasskey(page);
  await page.getByText("Ada's phone", { exact: true }).waitFor();

  await signOut(page);
  await page.goto(`${service.issuer}/sign-in`);
  await button(page, 'Use a passkey').click();
  await heading(page, 'You are signed in');

  await signOut(page);
  await page.goto(`${service.issuer}/sign-in`);
  await signInAt(page, person);
  await heading(page, 'One more step');
  await button(page, 'Use a passkey').click();
  await heading(page, 'You are signed in');
  expect(page.faults).toEqual([]);

  // A copy of the passkey whose counter lags behind: refused, and the trail knows.
  const { credentials } = await session.send('WebAuthn.getCredentials', { authenticatorId });
  const [credential] = credentials;
  if (!credential) throw new Error('the authenticator has no passkey');
  const { credentialId } = credential;
  await session.send('WebAuthn.removeCredential', { authenticatorId, credentialId });
  const copy = { ...credential, signCount: 0 };
  await session.send('WebAuthn.addCredential', { authenticatorId, credential: copy });
  await signOut(page);
  await page.goto(`${service.issuer}/sign-in`);
  await button(page, 'Use a passkey').click();
  await page.getByText('The passkey was not accepted').waitFor();
}, 60_000);

test('changes need a recent sign-in: the passkey or the code shows that it is still you', async () => {
  const page = await browser.newPage();
  const holder = await registerWithTotp(service);
  await page.goto(`${service.issuer}/account/security`);
  await signInAt(page, holder);
  await page.getByLabel('Code', { exact: true }).fill(codeOf(service, holder.secret));
  await button(page, 'Go on').click();
  await heading(page, 'Sign-in security');

  service.clock.advance({ minutes: 31 });
  await page.reload();
  await heading(page, 'Show that it is still you');
  const [before] = (await page.context().cookies()).filter(({ name }) => name === '__Host-obol_session');
  await page.getByLabel('Code', { exact: true }).fill(codeOf(service, holder.secret));
  await button(page, 'Go on').click();
  await heading(page, 'Sign-in security');
  const [after] = (await page.context().cookies()).filter(({ name }) => name === '__Host-obol_session');
  expect(after?.value).not.toBe(before?.value);

  service.clock.advance({ seconds: 30 });
  await page.getByLabel('Password', { exact: true }).fill(holder.password);
  await page.getByLabel('Code of the app').fill(codeOf(service, holder.secret));
  await button(page, 'Switch off').click();
  await page.getByText('Codes from an app are switched off.').waitFor();
  service.clock.advance({ minutes: 31 });
  await page.reload();
  await page.getByLabel('Password', { exact: true }).fill('not the password');
  await button(page, 'Go on').click();
  await page.getByText('That is not your password').waitFor();
  await page.getByLabel('Password', { exact: true }).fill(holder.password);
  await button(page, 'Go on').click();
  await heading(page, 'Sign-in security');
  expect(page.faults).toEqual([]);
}, 60_000);

test('without JavaScript the second step works with a code', async () => {
  const page = await browser.newPage({ javaScriptEnabled: false });
  const holder = await registerWithTotp(service);
  await page.goto(`${service.issuer}/sign-in`);
  await signInAt(page, holder);
  expect(await button(page, 'Use a passkey').count()).toBe(0);
  await page.getByLabel('Code', { exact: true }).fill('000000');
  await button(page, 'Go on').click();
  await page.getByText('That code is not right').waitFor();
  await page.getByLabel('Code', { exact: true }).fill(codeOf(service, holder.secret));
  await button(page, 'Go on').click();
  await heading(page, 'You are signed in');
}, 60_000);

test('on the way to an application the second step comes before the consent, and its tokens say so', async () => {
  const page = await browser.newPage();
  const { accessToken } = await signIn(service, await registerPerson(service));
  const redirectUri = `${elsewhere.origin}/atlas`;
  const given = { name: 'Atlas', access: 'open', redirectUri };
  const calls = new OauthCalls(service, {
    ...(await registerApplication(service, accessToken, given)),
    redirectUri,
  });
  const holder = await registerWithTotp(service);
  const { verifier, challenge } = newPkce();
  const pkce = { code_challenge: challenge, code_challenge_method: 'S256' };
  await page.goto(
    `${service.issuer}${calls.authorizeUrl({ ...pkce, acr_values: 'urn:obol:second-factor' })}`,
  );
  await signInAt(page, holder);
  await heading(page, 'One more step');
  await page.getByLabel('Code', { exact: true }).fill(codeOf(service, holder.secret));
  await button(page, 'Go on').click();
  await button(page, 'Allow').click();
  await page.waitForURL(`${redirectUri}?**`);
  const code = new URL(page.url()).searchParams.get('code') ?? '';
  const { body } = await calls.redeem(code, verifier);
  const expected = { acr: 'urn:obol:second-factor', amr: ['pwd', 'otp', 'mfa'] };
  expect(decodeJwt(body.id_token)).toMatchObject(expected);
  expect(decodeJwt(body.access_token)).toMatchObject(expected);
  expect(page.faults).toEqual([]);
}, 60_000);
