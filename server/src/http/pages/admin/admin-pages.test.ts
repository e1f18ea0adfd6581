import { describe, expect, test } from 'vitest';
import { act, AdminPages, openPerson, peoplePath as list } from '../../../../test/harness/admin-pages.ts';
import { expectPage, startTestProvider, type ShownPage } from '../../../../test/harness/oauth.ts';
import { registerPerson, signIn, type Person } from '../../../../test/harness/people.ts';
import { securityEventMeanings } from '../../../domains/auth/index.ts';

// Credits in hundredths, so that what is typed and what is booked are not the same number.
const service = await startTestProvider({ env: { CREDITS_SCALE: '2' } });
const pages = await AdminPages.of(service);

const offered = ({ page }: ShownPage): string[] => page.actions.map(({ action }: any) => action);
const emails = (shown: ShownPage): string[] => shown.page.people.map(({ email }: any) => email);

describe('the list of people', () => {
  test('is searched, filtered and read page by page, by administrators alone', async () => {
    const admin = await pages.newAdministrator();
    const { browser, shown } = await pages.openAs(admin, list);
    const { page } = expectPage(shown, 'people');
    expect(page).toMatchObject({ account: { email: admin.email }, search: '', show: 'everybody' });
    expect(shown.text).toContain(`href="${list}/${admin.id}"`);

    const people: Person[] = [];
    for (let index = 0; index < 27; index++) {
      service.clock.advance({ seconds: 1 });
      people.push(await registerPerson(service));
    }
    const first = expectPage(await browser.open(list), 'people');
    expect(emails(first)).toEqual(
      people
        .map(({ email }) => email)
        .toReversed()
        .slice(0, 25),
    );
    expect([first.page.newestUrl, first.page.total]).toEqual([null, expect.any(Number)]);
    const second = expectPage(await browser.open(first.page.olderUrl), 'people');
    expect(emails(second).slice(0, 2)).toEqual([people[1]?.email, people[0]?.email]);
    const { shown: signedIn } = await pages.openAs(admin, first.page.olderUrl);
    expect(expectPage(signedIn, 'people').page).toEqual(second.page);
    expect(expectPage(await browser.open(second.page.newestUrl), 'people').page).toEqual(first.page);

    const [somebody] = people;
    if (!somebody) throw new Error('nobody registered');
    const found = await browser.open(`${list}?search=${encodeURIComponent(somebody.email.toUpperCase())}`);
    expect(emails(expectPage(found, 'people'))).toEqual([somebody.email]);
    const administrators = expectPage(await browser.open(`${list}?search=&show=administrators`), 'people');
    expect(emails(administrators)).toEqual([admin.email]);
    const banned = expectPage(await browser.open(`${list}?show=banned`), 'people');
    expect([emails(banned), banned.page.total]).toEqual([[], 0]);

    const { browser: theirs, shown: refused } = await pages.openAs(somebody, list);
    expect([refused.status, refused.page.code]).toEqual([403, 'auth.admin_required']);
    const account = expectPage(await theirs.open('/account'), 'account');
    expect([account.page.peopleUrl, account.text.includes(list)]).toEqual([null, false]);
    const own = expectPage(await browser.open('/account'), 'account');
    expect([own.page.peopleUrl, own.text.includes(`href="${list}"`)]).toEqual([list, true]);
    for (const bad of ['cursor=nothing', 'show=me', `search=${'x'.repeat(255)}`, 'search=%00'])
      expect((await browser.request(`${list}?${bad}`)).status, bad).toBeLessThan(500);
  });
});

describe('somebody’s account', () => {
  test('is shown with what can be done about it, after a recent sign-in', async () => {
    const [admin, ada] = [await pages.newAdministrator(), await registerPerson(service)];
    await signIn(service, ada);
    const { browser, shown } = await pages.openAs(admin, `${list}/${ada.id}`);
    const { page } = expectPage(shown, 'person');
    expect(page.person).toMatchObject({ id: ada.id, email: ada.email, isAdministrator: false });
    expect(page.person).toMatchObject({ state: 'active', ban: null, credits: 15_000, devicesCount: 1 });
    expect(shown.text).toContain('Has 150 credits');
    expect(page.events.map(({ type }: any) => type)).toEqual(
      expect.arrayContaining(['account.registered', 'login.succeeded']),
    );
    expect(offered(shown)).toEqual([
      'look',
      'credits',
      'role',
      'sign-out',
      'reset-factors',
      'deactivate',
      'ban',
    ]);
    expect(offered(await openPerson(browser, admin))).toEqual(['credits', 'role']);
    const { browser: theirs, shown: refused } = await pages.openAs(ada, `${list}/${admin.id}`);
    expect([refused.status, refused.page.code]).toEqual([403, 'auth.admin_required']);
    expect(await theirs.request(`${list}/${ada.id}`)).toMatchObject({ status: 403 });
    for (const [path, status] of [
      [`${list}/019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d11`, 404],
      [`${list}/nobody`, 400],
    ] as const)
      expect((await browser.request(path)).status).toBe(status);

    service.clock.advance({ hours: 1 });
    const again = expectPage(await browser.open(`${list}/${ada.id}`), 'second-factor');
    expectPage(await browser.submit(again, { password: admin.password }), 'person');
    service.clock.advance({ hours: 1 });
    expectPage(await act(browser, shown, 'ban', { reason: 'Late' }), 'second-factor');
    expect(await pages.auditOf(ada)).toEqual([]);
  });

  test('is shown with all that can happen to one, in words', async () => {
    const [admin, ada] = [await pages.newAdministrator(), await registerPerson(service)];
    const { browser } = await pages.openAs(admin, list);
    const types = Object.keys(securityEventMeanings);
    const said = new Map<string, string>();
    for (let from = 0; from < types.length; from += 20) {
      const some = types.slice(from, from + 20);
      await pages.owner.query(
        `insert into auth.security_events (id, user_id, type, created_at)
         select uuidv7(), $1, type, $2::timestamptz + make_interval(secs => $3)
           from unnest($4::text[]) type`,
        [ada.id, service.clock.now(), from + 1, some],
      );
      const { page, text } = await openPerson(browser, ada);
      expect(page.events.map(({ type }: any) => type)).toEqual(expect.arrayContaining(some));
      for (const [, type = '', words = ''] of text.matchAll(/<strong title="([^"]*)">(.*?)<\/strong>/g))
        said.set(type, words);
    }
    expect([...said.keys()].toSorted()).toEqual(types.toSorted());
    for (const [type, words] of said) expect(words, type).toMatch(/^[A-Z][^._]*$/);
  });

  test('is given and taken credits, once however often the form is sent', async () => {
    const [admin, ada] = [await pages.newAdministrator(), await registerPerson(service)];
    const { browser } = await pages.openAs(admin, `${list}/${ada.id}`);
    const fields = { amount: '2.5', reason: 'Thank you for your patience' };
    // A browser that was closed meanwhile holds the sign-in alone; all forms of the page work all the same.
    browser.cookies.delete('__Host-obol_csrf');
    const fresh = await openPerson(browser, ada);
    expect((await act(browser, fresh, 'look')).page.refused.problem.field).toBe('reason');
    expect((await act(browser, fresh, 'ban')).page.refused.problem.field).toBe('reason');
    const done = expectPage(await act(browser, fresh, 'credits', fields), 'person');
    expect(done.page).toMatchObject({ done: 'credits', person: { credits: 15_250 } });
    expect(done.text).toContain('It is booked.');
    await act(browser, fresh, 'credits', fields);
    const other = expectPage(await act(browser, fresh, 'credits', { ...fields, amount: '3' }), 'person');
    expect([other.status, other.page.refused.problem.code]).toEqual([422, 'idempotency.mismatch']);
    expect(other.page.person.credits).toBe(15_250);
    const taken = await act(browser, done, 'credits', { amount: '-200', reason: 'Booked twice' });
    expect(taken.page.person).toMatchObject({ credits: 0, debt: 4750 });
    expect(taken.text).toContain('Owes 47.5 credits');

    for (const amount of ['', '0', '-0', '1.005', '1e3', 'NaN', '9007199254740993', '--1'])
      expect((await act(browser, taken, 'credits', { amount, reason: 'x' })).page.refused).toMatchObject({
        action: 'credits',
        typed: { amount, reason: 'x' },
        problem: { code: 'request.invalid', field: 'amount' },
      });
    const silent = await act(browser, taken, 'credits', { amount: '1', reason: ' ' });
    expect([silent.status, silent.page.refused.problem.field]).toEqual([400, 'reason']);
    expect(silent.text).toMatch(/<title>Not yet: /);
    expect(silent.text).toContain('<details class="action" open="">');
    expect((await openPerson(browser, ada)).page.person.credits).toBe(0);
    await act(browser, taken, 'credits', { ...fields, amount: '60' });
    const { page, text } = expectPage(await browser.open(`${list}?search=${ada.email}`), 'people');
    expect(page.people).toMatchObject([{ id: ada.id, credits: 1250 }]);
    expect(text).toContain('12.5 credits · since');
  });

  test('changes its role, and the last administrator stays one', async () => {
    const [admin, ada] = [await pages.newAdministrator(), await registerPerson(service)];
    await pages.owner.query(`update auth.users set role = 'user' where role = 'admin' and id <> $1`, [
      admin.id,
    ]);
    const { browser, shown } = await pages.openAs(admin, `${list}/${admin.id}`);
    const last = await act(browser, shown, 'role');
    expect([last.status, last.page.refused.problem]).toEqual([409, { code: 'users.last_admin' }]);
    expect(last.text).toContain('This is the last administrator');
    const before = await openPerson(browser, ada);
    let made = before;
    for (let sent = 0; sent < 2; sent++) {
      made = expectPage(await act(browser, before, 'role', { reason: 'Joins' }), 'person');
      expect(made.page.person.isAdministrator).toBe(true);
      expect(offered(made)).not.toContain('look');
    }
    expect(await pages.auditOf(ada)).toEqual([{ action: 'user.role_changed', reason: 'Joins' }]);
    const [, { form }] = made.page.actions;
    const roleless = { ...form, hidden: { ...form.hidden, role: '' } };
    const refused = await browser.submit({ ...made, page: { form: roleless } }, {});
    expect(expectPage(refused, 'person').page.refused.problem.field).toBe('role');
    const left = expectPage(await act(browser, await openPerson(browser, admin), 'role'), 'account');
    expect(left.page.peopleUrl).toBeNull();
  });

  test('is signed out, switched off, banned and switched on again', async () => {
    const [admin, ada] = [await pages.newAdministrator(), await registerPerson(service)];
    const { accessToken: token } = await signIn(service, ada);
    const { browser, shown } = await pages.openAs(admin, `${list}/${ada.id}`);
    const out = await act(browser, shown, 'sign-out', { reason: 'Lost the phone' });
    expect(out.page).toMatchObject({ done: 'sign-out', person: { devicesCount: 0 } });
    expect((await service.send('GET', '/api/v1/auth/me', { token })).body.code).toBe('auth.session_ended');
    const off = await act(browser, out, 'deactivate');
    expect(off.page.person).toMatchObject({ state: 'deactivated', ban: null });
    expect(offered(off)).toEqual(['credits', 'role', 'ban', 'reactivate']);
    const on = await act(browser, off, 'reactivate');
    expect(on.page.person.state).toBe('active');
    const past = await act(browser, on, 'ban', { reason: 'Sold access', until: '2020-01-01' });
    expect(past.page.refused).toMatchObject({ action: 'ban', problem: { field: 'until' } });
    for (const until of ['soon', '2027-02-30', '2027-2-3', '+275000-01-01']) {
      const refused = await act(browser, on, 'ban', { reason: 'Sold\taccess', until });
      expect([refused.status, refused.page.refused.problem.field]).toEqual([400, 'reason']);
      const again = await act(browser, on, 'ban', { reason: 'Sold access', until });
      expect(again.page.refused).toMatchObject({ typed: { until }, problem: { field: 'until' } });
    }
    const banned = await act(browser, on, 'ban', { reason: 'Sold access', until: '2026-12-24' });
    const ban = { reason: 'Sold access', until: '2026-12-24T00:00:00.000Z' };
    expect(banned.page.person).toMatchObject({ state: 'banned', ban });
    expect(offered(banned)).toEqual(['credits', 'role', 'reactivate']);
    const shownBanned = expectPage(await browser.open(`${list}?show=banned`), 'people');
    expect(shownBanned.page.people.map(({ id }: any) => id)).toEqual([ada.id]);
    await act(browser, banned, 'reactivate', { reason: 'It was somebody else' });
    const trail = await pages.auditOf(ada);
    expect(trail.map(({ action }: any) => action)).toEqual([
      'user.banned',
      'user.deactivated',
      'user.reactivated',
      'user.reactivated',
      'user.sessions_ended',
    ]);
    expect((await act(browser, on, 'reset-factors')).page.refused.problem.field).toBe('reason');
    expect((await act(browser, on, 'reset-factors', { reason: 'Came by' })).page.done).toBe('reset-factors');
  });

  test('is left alone by forged forms, and by who is no administrator any more', async () => {
    const [admin, ada] = [await pages.newAdministrator(), await registerPerson(service)];
    const { browser, shown } = await pages.openAs(admin, `${list}/${ada.id}`);
    const [{ form }] = shown.page.actions;
    const forged = {
      ...shown,
      page: { form: { ...form, hidden: { ...form.hidden, csrf: 'x'.repeat(43) } } },
    };
    for (const action of offered(shown)) {
      forged.page.form.action = `${list}/${ada.id}/${action}`;
      const answer = expectPage(await browser.submit(forged, { reason: 'x', amount: '1' }), 'error');
      expect([action, answer.status]).toEqual([action, 403]);
    }
    await pages.owner.query(`update auth.users set role = 'user' where id = $1`, [admin.id]);
    for (const action of offered(shown)) {
      const answer = await act(browser, shown, action, { reason: 'x', amount: '1' });
      expect([action, answer.status, answer.page.code]).toEqual([action, 403, 'auth.admin_required']);
    }
    expect(await pages.auditOf(ada)).toEqual([]);
  });
});
