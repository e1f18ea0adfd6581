import { expect, test } from 'vitest';
import { act, AdminPages, openPerson, peoplePath as list } from '../../../../test/harness/admin-pages.ts';
import { expectPage, startTestProvider } from '../../../../test/harness/oauth.ts';
import { registerPerson } from '../../../../test/harness/people.ts';

const service = await startTestProvider();
const pages = await AdminPages.of(service);

const reason = 'The invoice looks wrong';

async function look() {
  const [admin, ada] = [await pages.newAdministrator(), await registerPerson(service)];
  const { browser, shown } = await pages.openAs(admin, `${list}/${ada.id}`);
  const theirs = expectPage(await act(browser, shown, 'look', { reason }), 'account');
  return { admin, ada, browser, theirs };
}

test('who looks at an account sees their pages under a banner, until they stop', async () => {
  const { admin, ada, browser, theirs } = await look();
  const until = new Date(service.clock.now().getTime() + 900_000).toISOString();
  expect(theirs.page).toMatchObject({ account: { email: ada.email }, peopleUrl: null, looking: { until } });
  expect(theirs.text).toContain('You see this account as its owner does');
  expect(theirs.text).toContain('<fieldset class="looked-at" disabled="">');
  for (const path of ['account/devices', 'account/events', 'account/connected', 'account/apps']) {
    const { page } = expectPage(await browser.open(`/${path}`), path.split('/')[1] ?? '');
    expect([path, page.account.email, page.looking.until]).toEqual([path, ada.email, until]);
  }
  for (const path of ['credits', 'account/keys']) {
    const { page } = expectPage(await browser.open(`/${path}`), path.split('/').at(-1) ?? '');
    expect([path, page.account.email, page.looking.until]).toEqual([path, ada.email, until]);
  }
  const { page } = expectPage(await browser.open(list), 'people');
  expect([page.account.email, page.looking]).toEqual([admin.email, undefined]);

  const stop = { ...theirs, page: { form: theirs.page.looking.stop } };
  const stopped = expectPage(await browser.submit(stop, {}), 'person');
  expect(stopped.page).toMatchObject({ done: 'looking-ended', person: { id: ada.id, devicesCount: 0 } });
  const own = expectPage(await browser.open('/account'), 'account');
  expect([own.page.account.email, own.page.looking]).toEqual([admin.email, undefined]);
  expectPage(await browser.submit(stop, {}), 'people');
  const [started] = await pages.auditOf(ada);
  expect(started).toEqual({ action: 'user.impersonated', reason });
});

test('who looks at an account changes nothing, and opens no page that is about more', async () => {
  const { ada, browser, theirs } = await look();
  const keys = expectPage(await browser.open('/account/keys'), 'keys');
  const made = await browser.submit(keys, { keyName: 'Mine', lifetime: '30', 'scope:profile': 'on' });
  expect(expectPage(made, 'error').page).toMatchObject({ code: 'auth.impersonation_forbidden' });
  expect(expectPage(made, 'error').text).toContain('Stop looking');
  const devices = expectPage(await browser.open('/account/devices'), 'devices');
  expect(devices.page.devices).toHaveLength(1);
  const credits = expectPage(await browser.open('/credits'), 'credits');
  const { hidden } = credits.page.shop.form;
  for (const [action, fields] of [
    ['/account/devices/end-others', {}],
    ['/credits/buy', { packageId: ada.id }],
    [`/mandates/${ada.id}`, { decision: 'save', allowance: '1' }],
  ] as const) {
    const form = { action, hidden };
    const answer = expectPage(await browser.submit({ ...theirs, page: { form } }, fields), 'error');
    expect([action, answer.page.code]).toEqual([action, 'auth.impersonation_forbidden']);
  }
  for (const path of ['/account/security', '/account/export']) {
    const answer = expectPage(await browser.open(path), 'error');
    expect([path, answer.status, answer.page.code]).toEqual([path, 403, 'auth.impersonation_forbidden']);
  }
});

test('who is looked at sees it, and ends it', async () => {
  const { ada, browser } = await look();
  const { browser: theirs, shown } = await pages.openAs(ada, '/account/devices');
  const seen = shown.page.devices.find(({ isImpersonated }: any) => isImpersonated);
  expect(shown.text).toContain('An administrator of this service');
  await theirs.submit({ ...shown, page: { form: seen.ending } }, {});
  const left = expectPage(await browser.open('/account'), 'person');
  expect(left.page).toMatchObject({ done: 'looking-ended', person: { id: ada.id } });
  expect(expectPage(await browser.open('/account'), 'account').page.looking).toBeUndefined();
});

test('it ends after a quarter of an hour, with the sign-in, and with the role', async () => {
  const { admin, ada, browser } = await look();
  service.clock.advance({ minutes: 15 });
  const own = expectPage(await browser.open('/account'), 'account');
  expect([own.page.account.email, own.page.looking]).toEqual([admin.email, undefined]);

  const { admin: other, browser: second } = await look();
  const token = second.cookies.get('__Host-obol_looking');
  if (!token) throw new Error('the browser holds no token');
  // It is of use to nobody but the administrator that it was made for.
  const { browser: stolen } = await pages.openAs(ada, '/account');
  stolen.cookies.set('__Host-obol_looking', token);
  expect(expectPage(await stolen.open('/account'), 'account').page.account.email).toBe(ada.email);
  stolen.cookies.set('__Host-obol_looking', { value: 'nothing', path: '/' });
  expect(expectPage(await stolen.open('/account'), 'account').page.account.email).toBe(ada.email);
  await pages.owner.query(`update auth.users set role = 'user' where id = $1`, [other.id]);
  const refused = await second.open('/account');
  expect(expectPage(refused, 'error').page.code).toBe('auth.admin_required');
  expect(expectPage(await second.open('/account'), 'account').page.account.email).toBe(other.email);
  second.cookies.delete('__Host-obol_session');
  second.cookies.set('__Host-obol_looking', token);
  expectPage(await second.open('/account'), 'sign-in');
});

test('who looks at another account looks at the first no more', async () => {
  const { ada, browser } = await look();
  const grace = await registerPerson(service);
  const shown = await openPerson(browser, grace);
  const theirs = expectPage(await act(browser, shown, 'look', { reason }), 'account');
  expect(theirs.page.account.email).toBe(grace.email);
  expect((await openPerson(browser, ada)).page.person.devicesCount).toBe(0);
});
