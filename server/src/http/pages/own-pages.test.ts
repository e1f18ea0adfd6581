import { describe, expect, test } from 'vitest';
import { registerApplication } from '../../../test/harness/applications.ts';
import { OauthCalls } from '../../../test/harness/oauth-flow.ts';
import { expectPage, startTestProvider, TestBrowser, type ShownPage } from '../../../test/harness/oauth.ts';
import { registerPerson, signIn, type Person } from '../../../test/harness/people.ts';

const service = await startTestProvider();

/** Opens a page in a browser, signing in on the way; comes to that very page. */
async function openAs(person: Person, path: string, browser = new TestBrowser(service)) {
  const first = expectPage(await browser.open(path), 'sign-in');
  const shown = await browser.submit(first, person);
  return { browser, shown: expectPage(shown, path.split('/').at(-1) ?? '') };
}

const withForm = (shown: ShownPage, form: unknown): ShownPage => ({ ...shown, page: { form } });

describe('the account', () => {
  test('leads to every page of one’s own, and to a file of everything held about one', async () => {
    const person = await registerPerson(service);
    const { browser, shown } = await openAs(person, '/account');
    expect(shown.page).toMatchObject({ account: { email: person.email }, waitingCount: 0 });
    expect(shown.text).not.toContain('href="/access-requests"');
    const links = [...shown.text.matchAll(/<a href="([^"]+)"/g)].map(([, url]) => url ?? '');
    for (const url of links.filter((one) => one !== '/account/export'))
      expect((await browser.request(url)).status, url).toBe(200);
    for (const path of ['credits', 'access-requests', 'account/security', 'account/devices', 'sign-in?done'])
      expect(await (await browser.request(`/${path}`)).text(), path).toContain('href="/account"');
    const file = await browser.request(shown.page.exportUrl);
    expect(file.headers.get('content-disposition')).toBe('attachment; filename="personal-data.json"');
    expect(await file.text()).toContain(person.email);
    const stranger = await new TestBrowser(service).request(shown.page.exportUrl);
    expect([stranger.status, stranger.headers.get('location')]).toEqual([303, '/sign-in?next=%2Faccount']);
  });

  test('tells administrators of applications that somebody asks for access', async () => {
    const ada = await registerPerson(service);
    const { accessToken } = await signIn(service, ada);
    const app = await registerApplication(service, accessToken);
    const { accessToken: token } = await signIn(service, await registerPerson(service));
    const body = { applicationId: app.id };
    expect((await service.send('POST', '/api/v1/access-requests', { token, body })).status).toBe(201);
    const { shown } = await openAs(ada, '/account');
    expect(shown.text).toContain('One person waits for your answer.');
    expect(shown.text).toContain('href="/access-requests"');
  });
});

describe('devices', () => {
  test('are shown, this one first, and signed out one by one or all at once', async () => {
    const person = await registerPerson(service);
    const { browser: other } = await openAs(person, '/account/devices');
    const { accessToken } = await signIn(service, person);
    const { browser, shown } = await openAs(person, '/account/devices');
    const rows: any[] = shown.page.devices;
    expect(rows.map(({ ending }) => ending === null)).toEqual([true, false, false]);
    const [, first, second] = rows;
    await browser.submit(withForm(shown, first.ending), {});
    const once = expectPage(await browser.submit(withForm(shown, first.ending), {}), 'devices');
    expect(once.page).toMatchObject({ done: 'device-ended', devices: [{ ending: null }, { id: second.id }] });
    const all = expectPage(await browser.submit(withForm(shown, once.page.endingOthers), {}), 'devices');
    expect(all.page).toMatchObject({ done: 'others-ended', endingOthers: null });
    expect(all.page.devices).toHaveLength(1);
    expectPage(await other.open('/account'), 'sign-in');
    const { body } = await service.send('GET', '/api/v1/users/me', { token: accessToken });
    expect(body.code).toBe('auth.session_ended');
  });

  test('of somebody else stay signed in, whatever a form names, and so does whoever has no token', async () => {
    const [person, stranger] = [await registerPerson(service), await registerPerson(service)];
    const { browser: theirs, shown: theirPage } = await openAs(person, '/account/devices');
    const [{ id }] = theirPage.page.devices;
    await signIn(service, stranger);
    const { browser, shown } = await openAs(stranger, '/account/devices');
    const { hidden } = shown.page.endingOthers;
    const action = `/account/devices/${id}/end`;
    await browser.submit(withForm(shown, { action, hidden }), {});
    const forged = await theirs.submit(withForm(shown, { action, hidden }), {});
    expect(expectPage(forged, 'error').status).toBe(403);
    expectPage(await theirs.open('/account/devices'), 'devices');
  });
});

describe('keys', () => {
  const typed = { keyName: 'Nightly import', lifetime: '30' };

  test('are made if they open anything, shown once, used and revoked', async () => {
    const person = await registerPerson(service);
    const { browser, shown } = await openAs(person, '/account/keys');
    expect(shown.page.keys).toEqual([]);
    const empty = expectPage(await browser.submit(shown, typed), 'keys');
    expect([empty.status, empty.page.problem.field]).toEqual([400, 'scopes']);
    expect(empty.page.typed).toEqual({ ...typed, scopes: [] });
    const made = expectPage(
      await browser.submit(shown, { ...typed, 'scope:credits:read': 'on' }),
      'key-made',
    );
    const { key: token } = made.page;
    expect(token).toMatch(/^obol_sk_/);
    expect((await service.send('GET', '/api/v1/credits/balance', { token })).status).toBe(200);
    const spend = { amount: 1, appId: 'chat', description: 'One answer' };
    expect((await service.send('POST', '/api/v1/credits/use', { token, body: spend })).status).toBe(403);
    const listed = expectPage(await browser.open('/account/keys'), 'keys');
    expect(listed.text).not.toContain(token);
    const expiresAt = new Date(service.clock.now().getTime() + 30 * 86_400_000).toISOString();
    expect(listed.page.keys).toMatchObject([
      { name: 'Nightly import', scopes: ['credits:read'], expiresAt, isExpired: false },
    ]);
    const revoked = await browser.submit(withForm(listed, listed.page.keys[0].removal), {});
    expect(expectPage(revoked, 'keys').page).toMatchObject({ done: 'key-revoked', keys: [] });
    expect((await service.send('GET', '/api/v1/credits/balance', { token })).status).toBe(401);
  });

  test('take a recent sign-in, from which one comes back; of somebody else they are not there', async () => {
    const [person, stranger] = [await registerPerson(service), await registerPerson(service)];
    const { browser, shown } = await openAs(person, '/account/keys');
    service.clock.advance({ hours: 1 });
    const fields = { ...typed, 'scope:profile': 'on' };
    const asked = expectPage(await browser.submit(shown, fields), 'second-factor');
    const back = expectPage(await browser.submit(asked, { password: person.password }), 'keys');
    expectPage(await browser.submit(back, fields), 'key-made');
    const { page } = expectPage(await browser.open('/account/keys'), 'keys');
    const other = await openAs(stranger, '/account/keys');
    const form = { ...page.keys[0].removal, hidden: other.shown.page.form.hidden };
    const refused = await other.browser.submit(withForm(other.shown, form), {});
    expect(expectPage(refused, 'error').status).toBe(404);
  });
});

test('apps that were let in are shown with what they may, and removed', async () => {
  const { accessToken } = await signIn(service, await registerPerson(service));
  const app = await registerApplication(service, accessToken, { access: 'open' });
  const person = await registerPerson(service);
  const { tokens } = await new OauthCalls(service, app).obtainTokens({ scope: 'openid' }, { person });
  const { accessToken: token } = await signIn(service, person);
  const body = { appId: app.clientId, allowance: 9, period: 'day' };
  const { body: mandate } = await service.send('POST', '/api/v1/credits/mandates', { token, body });
  const { browser, shown } = await openAs(person, '/account/apps');
  expect(shown.page.apps).toMatchObject([
    { appName: 'Notes', scopes: ['openid'], budgetUrl: `/mandates/${mandate.id}` },
  ]);
  expectPage(await browser.open(shown.page.apps[0].budgetUrl), 'budget');
  const removed = await browser.submit(withForm(shown, shown.page.apps[0].removal), {});
  expect(expectPage(removed, 'apps').page).toMatchObject({ done: 'app-removed', apps: [] });
  const userinfo = await fetch(`${service.url}/userinfo`, {
    headers: { authorization: `Bearer ${tokens.access_token}` },
  });
  expect(userinfo.status).toBe(401);
});
