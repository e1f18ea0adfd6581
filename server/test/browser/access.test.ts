import { expect, test } from 'vitest';
import { registerApplication } from '../harness/applications.ts';
import { OauthCalls } from '../harness/oauth-flow.ts';
import { newPkce, startTestProvider } from '../harness/oauth.ts';
import { registerPerson, signIn, type Person } from '../harness/people.ts';
import { openBrowser, type WatchedPage } from './browser.ts';
import { openOtherOrigin } from './other-origin.ts';

const service = await startTestProvider({ startAt: new Date().toISOString() });
const elsewhere = await openOtherOrigin({ host: '127.0.0.1' });
const redirectUri = `${elsewhere.origin}/callback`;
const browser = await openBrowser();

async function newClosedApplication() {
  const ada = await registerPerson(service);
  const { accessToken } = await signIn(service, ada);
  const given = { name: 'Atlas', redirectUri, roles: ['reader', 'editor'], defaultRole: 'reader' };
  const app = { ...(await registerApplication(service, accessToken, given)), redirectUri };
  return { ada, calls: new OauthCalls(service, app) };
}

async function signInAt(page: WatchedPage, { email, password }: Person): Promise<void> {
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Somebody on the way to a closed application asks to be let in; returns their page, where they wait. */
async function askForAccess(calls: OauthCalls, person: Person, look: { javaScriptEnabled: boolean }) {
  const page = await browser.newPage(look);
  const { verifier, challenge } = newPkce();
  const pkce = { code_challenge: challenge, code_challenge_method: 'S256' };
  await page.goto(`${service.issuer}${calls.authorizeUrl(pkce)}`);
  await signInAt(page, person);
  await page.getByText('You need access to Atlas').waitFor();
  await page.getByLabel('Message').fill('I draw the river maps.\nAda told me to ask.');
  await page.getByRole('button', { name: 'Ask for access' }).click();
  await page.getByText('Those who run it have been told.').waitFor();
  return { page, verifier };
}

/** Follows the link in the mail to the administrator. */
async function openFromMail(ada: Person, look: { javaScriptEnabled: boolean }): Promise<WatchedPage> {
  const [mail] = await service.mails(ada.email);
  expect(mail?.subject).toMatch(/for access to Atlas/);
  const page = await browser.newPage(look);
  await page.goto(mail?.links[0] ?? '');
  await signInAt(page, ada);
  return page;
}

test.each([true, false])(
  'asked, told by mail, approved with a role, let in (JavaScript: %s)',
  async (javaScriptEnabled) => {
    const { ada, calls } = await newClosedApplication();
    const ben = await registerPerson(service);
    const { page: waiting, verifier } = await askForAccess(calls, ben, { javaScriptEnabled });
    await waiting.getByRole('button', { name: 'Have they answered?' }).click();
    await waiting.getByText('Those who run it have been told.').waitFor();

    const deciding = await openFromMail(ada, { javaScriptEnabled });
    await deciding.getByText('Who may come in?').waitFor();
    const request = deciding.getByRole('region', { name: ben.email });
    expect(await request.innerText()).toContain('I draw the river maps.\nAda told me to ask.');
    expect(await request.innerText()).toContain('Nobody has shown yet that this address is theirs.');
    expect(await request.getByLabel('Role').inputValue()).toBe('reader');
    await request.getByLabel('Role').selectOption('editor');
    await request.getByRole('button', { name: 'Approve' }).click();
    await deciding.getByText('They have access now').waitFor();
    expect(await deciding.locator('h1').innerText()).toBe('Nobody is waiting');
    expect((await service.mails(ben.email))[0]?.text).toContain('Your role in Atlas is: editor.');

    await waiting.getByRole('button', { name: 'Have they answered?' }).click();
    await waiting.getByRole('button', { name: 'Allow', exact: true }).click();
    await waiting.waitForURL(`${redirectUri}?**`);
    const { body: tokens } = await calls.redeem(
      new URL(waiting.url()).searchParams.get('code') ?? '',
      verifier,
    );
    expect((await calls.introspect(tokens.access_token)).body).toMatchObject({ role: 'editor' });
    expect([...waiting.faults, ...deciding.faults]).toEqual([]);
  },
  60_000,
);

test('denied with a reason, which the person reads where they asked, and may answer', async () => {
  const { ada, calls } = await newClosedApplication();
  const ben = await registerPerson(service);
  const { page: waiting } = await askForAccess(calls, ben, { javaScriptEnabled: true });
  const deciding = await openFromMail(ada, { javaScriptEnabled: true });
  await deciding.getByLabel('Reason').fill('Please write from your work address.');
  await deciding.getByRole('button', { name: 'Deny' }).click();
  await deciding.getByText('You have denied it').waitFor();

  await waiting.getByRole('button', { name: 'Have they answered?' }).click();
  await waiting.getByText('Access to Atlas was denied').waitFor();
  await waiting.getByText('Please write from your work address.').waitFor();
  service.clock.advance({ seconds: 1 });
  await waiting.getByRole('button', { name: 'Ask for access' }).click();
  await waiting.getByText('Those who run it have been told.').waitFor();
});
