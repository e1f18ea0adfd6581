import { expect, test } from 'vitest';
import { act, AdminPages, openPerson, peoplePath as list } from '../../../../test/harness/admin-pages.ts';
import { registerApplication } from '../../../../test/harness/applications.ts';
import {
  expectPage,
  startTestProvider,
  type ShownPage,
  type TestBrowser,
} from '../../../../test/harness/oauth.ts';
import { createTestProvider } from '../../../../test/harness/payments.ts';
import { registerPerson, signIn, type Person } from '../../../../test/harness/people.ts';

const service = await startTestProvider({ paymentProviders: [createTestProvider()] });
const pages = await AdminPages.of(service);

const reason = 'The invoice looks wrong';
const cookieName = '__Host-obol_looking';

async function look() {
  const [admin, ada] = [await pages.newAdministrator(), await registerPerson(service)];
  const { browser, shown } = await pages.openAs(admin, `${list}/${ada.id}`);
  const theirs = expectPage(await act(browser, shown, 'look', { reason }), 'account');
  return { admin, ada, browser, theirs };
}

const submit = (browser: TestBrowser, shown: ShownPage, form: unknown, fields: Record<string, string> = {}) =>
  browser.submit({ ...shown, page: { form } }, fields);

/** The sessions by which administrators look at an account and that live. */
async function livingLooks({ id }: Person): Promise<number> {
  const { rows } = await pages.owner.query(
    `select id from auth.sessions where user_id = $1 and impersonator_id is not null and revoked_at is null`,
    [id],
  );
  return rows.length;
}

/** What a person reads of who looked at their account. */
async function trailOf({ id }: Person) {
  const { rows } = await pages.owner.query(
    `select type, ip_address, user_agent, details ->> 'reason' as reason from auth.security_events
      where user_id = $1 and type in ('impersonation.started', 'session.ended') order by type`,
    [id],
  );
  return rows;
}

/** Whose account a browser shows, and whether as somebody who looks at it. */
async function shownAt(browser: TestBrowser): Promise<[string, boolean]> {
  const { page } = expectPage(await browser.open('/account'), 'account');
  return [page.account.email, page.looking !== undefined];
}

test('who looks at an account sees their pages under a banner, until they stop', async () => {
  const { admin, ada, browser, theirs } = await look();
  const until = new Date(service.clock.now().getTime() + 900_000).toISOString();
  const looking = { email: ada.email, until, isShown: true };
  expect(theirs.page).toMatchObject({
    account: { email: ada.email },
    isOwn: false,
    peopleUrl: null,
    looking,
  });
  expect(theirs.text).toContain(`You see the account of ${ada.email} as they do`);
  expect(theirs.text).toContain(`<title>${ada.email}: Your account`);
  expect(theirs.text).toMatch(/<fieldset[^>]* disabled=""/);
  for (const closed of ['/account/security', '/account/export', '/device', '/sign-out', '/forgot-password'])
    expect(theirs.text, closed).not.toContain(`href="${closed}"`);
  for (const path of ['devices', 'events', 'connected', 'apps', 'keys', 'credits', 'access-requests']) {
    const url = /^(?:credits|access-requests)$/.test(path) ? `/${path}` : `/account/${path}`;
    const { page } = expectPage(await browser.open(url), path);
    expect([path, page.account.email, page.looking.until]).toEqual([path, ada.email, until]);
  }
  const people = expectPage(await browser.open(list), 'people');
  expect(people.page).toMatchObject({ account: { email: admin.email }, looking: { isShown: false } });
  expect(people.text).toContain(`This page is your own. You still look at the account of ${ada.email}.`);
  expect(people.text).not.toMatch(/<fieldset[^>]* disabled=""/);
  const person = await openPerson(browser, ada);
  expect(person.page.person.devicesCount).toBe(0);

  const form = theirs.page.looking.stop;
  const stopped = expectPage(await submit(browser, theirs, form), 'person');
  expect(stopped.page).toMatchObject({ done: 'looking-ended', person: { id: ada.id } });
  expect(await livingLooks(ada)).toBe(0);
  expect(await shownAt(browser)).toEqual([admin.email, false]);
  expectPage(await submit(browser, theirs, form), 'people');
  expect(await pages.auditOf(ada)).toEqual([{ action: 'user.impersonated', reason }]);
  expect(await trailOf(ada)).toEqual([
    { type: 'impersonation.started', ip_address: null, user_agent: null, reason },
    { type: 'session.ended', ip_address: null, user_agent: null, reason: 'impersonation_ended' },
  ]);
});

test('of an account that is looked at a page reads once whose it is', async () => {
  const { ada, browser } = await look();
  const { db } = service.ctx;
  const asServiceFor = db.asServiceFor.bind(db);
  const readers: string[] = [];
  db.asServiceFor = (caller, work) => {
    readers.push(caller.userId);
    return asServiceFor(caller, work);
  };
  try {
    expectPage(await browser.open('/account/devices'), 'devices');
  } finally {
    db.asServiceFor = asServiceFor;
  }
  expect(readers).toEqual([ada.id]);
});

test('who looks at an account changes nothing, and opens no page that is about more', async () => {
  const { ada, browser, theirs } = await look();
  const keys = expectPage(await browser.open('/account/keys'), 'keys');
  const { hidden } = keys.page.form;
  const refused = async (action: string, fields: Record<string, string>) => {
    const answer = expectPage(await submit(browser, theirs, { action, hidden }, fields), 'error');
    expect([action, answer.status, answer.page.code]).toEqual([action, 403, 'auth.impersonation_forbidden']);
    expect(answer.text, action).toContain('Stop looking');
  };
  await refused('/account/keys', { keyName: 'Mine', lifetime: '30', 'scope:profile': 'on' });
  await refused('/account/devices/end-others', {});
  await refused('/credits/buy', { packageId: ada.id, key: 'x'.repeat(22) });
  await refused(`/mandates/${ada.id}`, { decision: 'save', allowance: '1' });
  await refused(`/access-requests/${ada.id}`, { decision: 'deny' });
  for (const path of ['/account/security', '/account/export']) {
    const answer = expectPage(await browser.open(path), 'error');
    expect([path, answer.status, answer.page.code]).toEqual([path, 403, 'auth.impersonation_forbidden']);
  }
});

test('who looks at an account is led to no payment, and to the budgets of that account', async () => {
  const { admin, ada, browser } = await look();
  const { accessToken: token } = await signIn(service, ada);
  const app = await registerApplication(service, (await signIn(service, admin)).accessToken, {
    access: 'open',
  });
  const terms = { appId: app.clientId, allowance: 5, period: 'day' };
  const made = await service.send('POST', '/api/v1/credits/mandates', { token, body: terms });
  expect(made.status).toBe(201);
  const budget = expectPage(await browser.open(`/mandates/new?appId=${app.clientId}`), 'budget');
  expect(budget.page).toMatchObject({ account: { email: ada.email }, looking: { email: ada.email } });
  const { body: packs } = await service.send('GET', '/api/v1/credits/packages');
  const body = { packageId: packs[0].id };
  const bought = await service.send('POST', '/api/v1/credits/purchase', { token, body });
  expect(bought.status).toBeLessThan(300);
  const { rows } = await pages.owner.query(`select id from credits.purchases where user_id = $1`, [ada.id]);
  expect(rows).toHaveLength(1);
  const credits = expectPage(await browser.open(`/credits?purchase=${rows[0].id}`), 'credits');
  expect(credits.page.purchases).toMatchObject([{ status: 'pending', checkoutUrl: null }]);
  expect(credits.page.arrival).toBeNull();
});

test('who is looked at sees it, and ends it', async () => {
  const { admin, ada, browser } = await look();
  const { browser: theirs, shown } = await pages.openAs(ada, '/account/devices');
  const seen = shown.page.devices.find(({ isImpersonated }: any) => isImpersonated);
  expect(shown.text).toContain('An administrator of this service');
  await submit(theirs, shown, seen.ending);
  const left = expectPage(await browser.open('/account'), 'person');
  expect(left.page).toMatchObject({ done: 'looking-ended', person: { id: ada.id } });
  expect(await shownAt(browser)).toEqual([admin.email, false]);
});

test('when the time is over, the browser is led away once, and what is sent then is refused', async () => {
  const [first, second] = [await look(), await look()];
  service.clock.advance({ minutes: 15 });
  const answer = await first.browser.request('/account/keys');
  expect([answer.status, answer.headers.get('location')]).toEqual([
    303,
    `${list}/${first.ada.id}?done=looking-ended`,
  ]);
  expect(await shownAt(first.browser)).toEqual([first.admin.email, false]);
  const action = '/account/devices/end-others';
  const { hidden } = second.theirs.page.looking.stop;
  const sent = expectPage(await submit(second.browser, second.theirs, { action, hidden }), 'error');
  expect(sent.page.code).toBe('auth.impersonation_forbidden');
  expectPage(await submit(second.browser, second.theirs, { action, hidden }), 'devices');
});

test('it ends with the role, and with the sign-in, here and everywhere', async () => {
  const { admin, ada, browser } = await look();
  await pages.owner.query(`update auth.users set role = 'user' where id = $1`, [admin.id]);
  expect(expectPage(await browser.open('/account'), 'error').page.code).toBe('auth.admin_required');
  expect(await shownAt(browser)).toEqual([admin.email, false]);
  const ended = { type: 'session.ended', ip_address: null, user_agent: null, reason: 'impersonation_ended' };
  expect((await trailOf(ada)).slice(1)).toEqual([ended]);

  const switchedOff = await look();
  await pages.owner.query('update auth.users set is_active = false where id = $1', [switchedOff.admin.id]);
  expect(await livingLooks(switchedOff.ada)).toBe(0);
  expect((await trailOf(switchedOff.ada)).slice(1)).toEqual([ended]);

  const signedOut = await look();
  const page = expectPage(await signedOut.browser.open('/sign-out'), 'sign-out');
  expectPage(await signedOut.browser.submit(page, { decision: 'sign-out' }), 'signed-out');
  expect(await livingLooks(signedOut.ada)).toBe(0);
  expect((await trailOf(signedOut.ada)).slice(1)).toEqual([ended]);

  const elsewhere = await look();
  const { accessToken: token } = await signIn(service, elsewhere.admin);
  const others = await service.send('DELETE', '/api/v1/auth/sessions', { token });
  expect(others.body.revoked).toBe(1);
  expect(await livingLooks(elsewhere.ada)).toBe(0);
  const signInPage = expectPage(await elsewhere.browser.open('/account/security'), 'sign-in');
  // What ended before is no reason to refuse what they open now.
  expectPage(await elsewhere.browser.submit(signInPage, elsewhere.admin), 'security');
  expect(await shownAt(elsewhere.browser)).toEqual([elsewhere.admin.email, false]);
  expect(await livingLooks(ada)).toBe(0);
});

test('the cookie is of use to the administrator alone for whom it was made', async () => {
  const { ada, browser } = await look();
  const cookie = browser.cookies.get(cookieName);
  if (!cookie) throw new Error('the browser holds no token');
  const { browser: stolen } = await pages.openAs(await pages.newAdministrator(), '/account');
  const [own] = await shownAt(stolen);
  for (const value of [cookie.value, 'nothing', `${cookie.value.slice(0, -9)}AAAAAAAAA`, '..']) {
    stolen.cookies.set(cookieName, { ...cookie, value });
    expect(await shownAt(stolen)).toEqual([own, false]);
  }
  browser.cookies.set(cookieName, { ...cookie, value: `${cookie.value.slice(0, -9)}AAAAAAAAA` });
  expectPage(await browser.open('/account'), 'person');
  browser.cookies.set(cookieName, cookie);
  browser.cookies.delete('__Host-obol_session');
  expectPage(await browser.open('/account'), 'sign-in');
  expect(await livingLooks(ada)).toBe(1);
});

test('who looks at another account looks at the first no more, however it was begun', async () => {
  const { admin, ada, browser } = await look();
  const { accessToken: token } = await signIn(service, admin);
  await service.send('POST', `/api/v1/users/${ada.id}/impersonate`, { token, body: { reason } });
  expect(await livingLooks(ada)).toBe(2);
  const other = await pages.newAdministrator();
  const { browser: others, shown } = await pages.openAs(other, `${list}/${ada.id}`);
  await act(others, shown, 'look', { reason });
  const grace = await registerPerson(service);
  const theirs = expectPage(
    await act(browser, await openPerson(browser, grace), 'look', { reason }),
    'account',
  );
  expect(theirs.page.account.email).toBe(grace.email);
  expect([await livingLooks(grace), await livingLooks(ada)]).toEqual([1, 1]);
  expect(await shownAt(others)).toEqual([ada.email, true]);
  const ended = (await trailOf(ada)).filter(({ type }) => type === 'session.ended');
  expect(ended).toHaveLength(2);
});

test('who is refused another look goes on with the one they have', async () => {
  const { ada, browser } = await look();
  const other = await pages.newAdministrator();
  const shown = await openPerson(browser, await registerPerson(service));
  const [{ form }] = shown.page.actions;
  const forged = { ...form, action: `${list}/${other.id}/look` };
  const refused = expectPage(await submit(browser, shown, forged, { reason }), 'person');
  expect(refused.page.refused.problem.code).toBe('users.impersonation_refused');
  expect(refused.page.looking.email).toBe(ada.email);
  expect(await shownAt(browser)).toEqual([ada.email, true]);
});

test('a look that begins while its administrator is signed out does not outlive that', async () => {
  for (let round = 0; round < 6; round++) {
    const [admin, ada] = [await pages.newAdministrator(), await registerPerson(service)];
    const { accessToken: token } = await signIn(service, admin);
    const path = `/api/v1/users/${ada.id}/impersonate`;
    const [answer] = await Promise.all([
      service.send('POST', path, { token, body: { reason } }),
      service.send('POST', '/api/v1/auth/logout', { token }),
    ]);
    expect(await livingLooks(ada), `the look was answered ${answer.status}`).toBe(0);
  }
});
