import { expect, onTestFinished, test } from 'vitest';
import { asOwner } from '../../../test/harness/upstream.ts';
import { AdminPages, openPerson } from '../../../test/harness/admin-pages.ts';
import { expectPage, startTestProvider, TestBrowser } from '../../../test/harness/oauth.ts';
import { registerPerson } from '../../../test/harness/people.ts';
import { watchStatements } from '../../../test/harness/statements.ts';
import { securityEventMeanings } from '../../domains/auth/index.ts';
import { loadBuiltPages } from './built-pages.ts';

const service = await startTestProvider();

test('every event of a trail has words of its own for the person', async () => {
  const { render } = await loadBuiltPages();
  const account = { name: 'Ada', email: 'ada@example.com' };
  const about = { about: null, device: null, ipAddress: null, createdAt: '2026-03-01T12:00:00.000Z' };
  const said = Object.keys(securityEventMeanings).map((type) => {
    const events = [{ id: '1', type, ...about }];
    const { markup } = render({ name: 'events', account, events, olderUrl: null, newestUrl: null });
    expect(markup).not.toContain(type);
    return /<ol.*?<strong>(.*?)<\/strong>/.exec(markup)?.[1];
  });
  expect(new Set(said).size).toBe(said.length);
});

test('one’s own trail is shown newest first, page by page, and to nobody else', async () => {
  const [person, stranger] = [await registerPerson(service), await registerPerson(service)];
  const browser = new TestBrowser(service);
  const shown = await browser.submit(expectPage(await browser.open('/account/events'), 'sign-in'), person);
  const { page } = expectPage(shown, 'events');
  expect(page).toMatchObject({ account: { email: person.email }, olderUrl: null, newestUrl: null });
  const types = page.events.map(({ type }: { type: string }) => type);
  expect(types).toEqual(expect.arrayContaining(['account.registered', 'login.succeeded']));

  await asOwner(
    service,
    `insert into auth.security_events (id, user_id, type, created_at)
     select uuidv7(), u.id, 'passkey.renamed', u.created_at - make_interval(hours => n)
     from auth.users u, generate_series(1, 40) n where u.email = $1`,
    [person.email],
  );
  const seen: string[] = [];
  let url = '/account/events';
  let pages = 0;
  for (let next: string | null = url; next !== null; pages++) {
    url = next;
    const { page: one } = expectPage(await browser.open(url), 'events');
    seen.push(...one.events.map(({ id }: { id: string }) => id));
    next = one.olderUrl;
    expect(one.newestUrl).toBe(pages === 0 ? null : '/account/events');
  }
  expect(pages).toBe(2);
  expect(new Set(seen).size).toBe(types.length + 40);
  expect(seen).toHaveLength(types.length + 40);

  const other = new TestBrowser(service);
  const theirs = await other.submit(expectPage(await other.open('/account/events'), 'sign-in'), stranger);
  expectPage(theirs, 'events');
  // A place in somebody else's trail leads nowhere.
  expect(expectPage(await other.open(url), 'events').page.events).toEqual([]);
  expect((await other.request('/account/events?before=nothing')).status).toBe(400);
});

test('nobody counts a trail of which no total is shown', async () => {
  const pages = await AdminPages.of(service);
  const [admin, ada] = [await pages.newAdministrator(), await registerPerson(service)];
  const { browser } = await pages.openAs(admin, '/account');
  const watch = watchStatements(service);
  onTestFinished(watch.end);
  for (const open of [
    async () => expectPage(await browser.open('/account/events'), 'events'),
    () => openPerson(browser, ada),
  ]) {
    const { result, statements } = await watch.during(open);
    expect(result.page.events).not.toEqual([]);
    const ofTrail = statements.filter((text) => text.includes('"security_events"'));
    expect(ofTrail).toEqual([expect.not.stringContaining('count(')]);
  }
});
