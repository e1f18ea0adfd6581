import { expect, test } from 'vitest';
import { expectPage, startTestProvider, TestBrowser, type ShownPage } from '../../../test/harness/oauth.ts';
import { registerPerson } from '../../../test/harness/people.ts';
import { startStandIn } from '../../../test/harness/stand-in-provider.ts';
import {
  comeBack,
  companyEnv,
  confirmAddress,
  goToStandIn,
  locationOf,
  newClaims,
  signInAtStandIn,
} from '../../../test/harness/upstream.ts';

const company = await startStandIn();
const service = await startTestProvider({ env: companyEnv(company) });
const path = '/account/connected';

/** Somebody at the page of accounts elsewhere, with a browser. */
async function arrive() {
  const person = await registerPerson(service);
  await confirmAddress(service, person);
  const browser = new TestBrowser(service);
  const shown = await browser.submit(expectPage(await browser.open(path), 'sign-in'), person);
  return { person, browser, shown: expectPage(shown, 'connected') };
}

const withForm = (shown: ShownPage, form: unknown): ShownPage => ({ ...shown, page: { form } });

/** Connects an account: by the form, the page that leads on, and the provider. */
async function connect(browser: TestBrowser, shown: ShownPage, claims: Record<string, unknown>) {
  const [offer] = shown.page.offers;
  const { page } = expectPage(await browser.submit(withForm(shown, offer.form), {}), 'connect');
  company.claims = claims;
  const { pathname, search } = new URL(page.url);
  const asked = await goToStandIn(browser, company, `${pathname}${search}`);
  return locationOf(await comeBack(browser, company, asked));
}

test('accounts elsewhere are connected on a page, sign in from then on, and are disconnected', async () => {
  const { person, browser, shown } = await arrive();
  expect(shown.page).toMatchObject({ connected: [], offers: [{ provider: 'The company' }] });
  expectPage(await browser.open('/account'), 'account');
  const claims = newClaims();
  expect(await connect(browser, shown, claims)).toBe(`${path}?done=connected`);
  const after = expectPage(await browser.open(`${path}?done=connected`), 'connected');
  expect(after.page).toMatchObject({
    done: 'connected',
    connected: [{ provider: 'The company', email: claims.email }],
  });
  const other = new TestBrowser(service);
  await signInAtStandIn(other, company, claims);
  expect(expectPage(await other.open('/account'), 'account').page.account.email).toBe(person.email);
  const events = expectPage(await browser.open('/account/events'), 'events');
  expect(events.page.events).toContainEqual(
    expect.objectContaining({ type: 'account.linked', about: 'The company' }),
  );

  const { removal } = after.page.connected[0];
  const gone = expectPage(await browser.submit(withForm(after, removal), {}), 'connected');
  expect(gone.page).toMatchObject({ done: 'disconnected', connected: [] });
  // Pressed twice, it is what was wanted.
  expectPage(await browser.submit(withForm(after, removal), {}), 'connected');
  expectPage(await other.open('/account'), 'sign-in');
});

test('an account of somebody else is refused on the page, and theirs is not disconnected', async () => {
  const [owner, thief] = [await arrive(), await arrive()];
  const claims = newClaims();
  await connect(owner.browser, owner.shown, claims);
  const refused = await connect(thief.browser, thief.shown, claims);
  expect(refused).toBe(`${path}?error=auth.account_linked_elsewhere`);
  const told = expectPage(await thief.browser.open(refused), 'connected');
  expect(told.page).toMatchObject({ connected: [], problem: { code: 'auth.account_linked_elsewhere' } });
  const { page } = expectPage(await owner.browser.open(path), 'connected');
  const { hidden } = thief.shown.page.offers[0].form;
  const { action } = page.connected[0].removal;
  await thief.browser.submit(withForm(thief.shown, { action, hidden }), {});
  expect(expectPage(await owner.browser.open(path), 'connected').page.connected).toHaveLength(1);
});

test('the only way in stays; connecting takes a recent sign-in, from which one comes back', async () => {
  const claims = newClaims();
  const browser = new TestBrowser(service);
  await signInAtStandIn(browser, company, claims);
  const shown = expectPage(await browser.open(path), 'connected');
  const kept = expectPage(
    await browser.submit(withForm(shown, shown.page.connected[0].removal), {}),
    'connected',
  );
  expect([kept.status, kept.page.problem.code]).toEqual([409, 'auth.last_way_in']);
  expect(kept.page.connected).toHaveLength(1);

  const { person, browser: later, shown: old } = await arrive();
  service.clock.advance({ hours: 1 });
  const asked = expectPage(await later.submit(withForm(old, old.page.offers[0].form), {}), 'second-factor');
  const back = expectPage(await later.submit(asked, { password: person.password }), 'connected');
  expect(await connect(later, back, newClaims())).toBe(`${path}?done=connected`);
});

test('a provider that is not there, and a form without its token, are refused', async () => {
  const { browser, shown } = await arrive();
  const { hidden } = shown.page.offers[0].form;
  const unknown = { action: `${path}/connect/elsewhere`, hidden };
  expect(expectPage(await browser.submit(withForm(shown, unknown), {}), 'error').status).toBe(404);
  const bare = { ...shown.page.offers[0].form, hidden: {} };
  expect(expectPage(await browser.submit(withForm(shown, bare), {}), 'error').status).toBe(403);
  const made = expectPage(await browser.open(`${path}?error=orchids`), 'connected');
  expect(made.page.problem).toBeNull();
});
