import { expect, test } from 'vitest';
import { requestCalls } from '../../../../test/harness/access-requests.ts';
import { registerApplication } from '../../../../test/harness/applications.ts';
import {
  expectPage,
  startTestProvider,
  TestBrowser,
  type ShownPage,
} from '../../../../test/harness/oauth.ts';
import { registerPerson, signIn } from '../../../../test/harness/people.ts';
import { addWalletHolder } from '../../../../test/harness/wallets.ts';

const service = await startTestProvider();
const { ask } = requestCalls(service);
const path = '/access-requests';

/** Somebody who runs an application, at a browser, on the page with the requests. */
async function newAdministrator() {
  const person = await registerPerson(service);
  const { accessToken: token } = await signIn(service, person);
  const app = await registerApplication(service, token, { roles: ['editor', 'viewer'] });
  const browser = new TestBrowser(service);
  const signInPage = expectPage(await browser.open(path), 'sign-in');
  expectPage(await browser.submit(signInPage, person), 'access-requests');
  const look = async () => expectPage(await browser.open(path), 'access-requests');
  const decide = (shown: ShownPage, index: number, fields: Record<string, string>) =>
    browser.submit({ ...shown, page: shown.page.requests[index] }, fields);
  const approveByApi = (id: string, role: string) =>
    service.send('PUT', `/api/v1/access-requests/${id}/approve`, { token, body: { role } });
  return { person, app, browser, look, decide, token, approveByApi };
}

async function askedBy(applicationId: string): Promise<{ email: string; id: string; token: string }> {
  const ben = await addWalletHolder(service);
  const { body } = await ask(ben, { applicationId, message: 'Please' });
  return { email: `${ben.userId}@example.com`, id: body.accessRequest.id, token: ben.token };
}

test('it shows what waits for the person, oldest first, and nothing of other applications', async () => {
  const [ada, other] = [await newAdministrator(), await newAdministrator()];
  const first = await askedBy(ada.app.id);
  service.clock.advance({ seconds: 1 });
  const second = await askedBy(ada.app.id);
  const foreign = await askedBy(other.app.id);
  const { page, text } = await ada.look();
  expect(page.requests).toMatchObject([
    {
      applicationName: 'Notes',
      person: { email: first.email, isEmailVerified: false },
      message: 'Please',
      roles: ['editor', 'viewer', 'admin'],
      defaultRole: 'editor',
    },
    { person: { email: second.email } },
  ]);
  expect(page).toMatchObject({ account: { email: ada.person.email }, moreCount: 0, decided: null });
  expect(text).not.toContain(foreign.email);
});

test('of a crowd it shows twenty, and says how many more are waiting', async () => {
  const ada = await newAdministrator();
  for (let number = 0; number < 23; number++) await askedBy(ada.app.id);
  const shown = await ada.look();
  expect([shown.page.requests.length, shown.page.moreCount]).toEqual([20, 3]);
  const after = expectPage(await ada.decide(shown, 0, { decision: 'deny', reason: '' }), 'access-requests');
  expect(after.page).toMatchObject({ moreCount: 2, decided: 'denied', problem: null });
});

test('a decision is taken by the rules of the API: once, with a role that there is', async () => {
  const ada = await newAdministrator();
  const ben = await askedBy(ada.app.id);
  const shown = await ada.look();
  const unknown = expectPage(
    await ada.decide(shown, 0, { decision: 'approve', role: 'owner' }),
    'access-requests',
  );
  expect([unknown.status, unknown.page.problem.code]).toEqual([400, 'applications.role_unknown']);
  expect((await ada.approveByApi(ben.id, 'viewer')).status).toBe(200);
  const late = expectPage(await ada.decide(shown, 0, { decision: 'deny' }), 'access-requests');
  expect([late.status, late.page.problem.code, late.page.requests]).toEqual([
    409,
    'access.request_decided',
    [],
  ]);
  const seen = await service.send('GET', `/api/v1/applications/${ada.app.id}`, { token: ben.token });
  expect(seen.body.application.role).toBe('viewer');
});

test('a decision on what one does not administer answers like one on what there is not', async () => {
  const [ada, eve] = [await newAdministrator(), await newAdministrator()];
  const [wanted] = [await askedBy(ada.app.id), await askedBy(eve.app.id)];
  const own = await eve.look();
  const answers = [];
  for (const id of [wanted.id, '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d21']) {
    const form = { ...own.page.requests[0].form, action: `${path}/${id}` };
    const shown = await eve.browser.submit(
      { ...own, page: { form } },
      { decision: 'approve', role: 'editor' },
    );
    const { status, page } = expectPage(shown, 'error');
    answers.push({ status, page: { ...page, requestId: '' } });
  }
  expect(answers[0]).toEqual(answers[1]);
  expect(answers[0]).toMatchObject({ status: 404, page: { code: 'request.not_found' } });
  expect((await ada.look()).page.requests).toHaveLength(1);
});

test('a form without the token of this browser, and one of somebody signed out, decide nothing', async () => {
  const ada = await newAdministrator();
  await askedBy(ada.app.id);
  const shown = await ada.look();
  const forged = await ada.decide(shown, 0, { decision: 'approve', csrf: 'x'.repeat(43) });
  expect(expectPage(forged, 'error')).toMatchObject({ status: 403, page: { code: 'request.csrf' } });
  ada.browser.cookies.delete('__Host-obol_session');
  const ended = await ada.decide(shown, 0, { decision: 'approve', role: 'editor' });
  const signInUrl = '/sign-in?next=%2Faccess-requests';
  const page = { code: 'auth.session_ended', links: ['sign-in'], signInUrl };
  expect(expectPage(ended, 'error')).toMatchObject({ status: 401, page });
  expectPage(await ada.browser.open(path), 'sign-in');
  const { body } = await service.send('GET', '/api/v1/access-requests', { token: ada.token });
  expect(body.accessRequests).toHaveLength(1);
});
