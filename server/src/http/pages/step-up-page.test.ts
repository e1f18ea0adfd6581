import { expect, test } from 'vitest';
import { expectPage, startTestProvider, TestBrowser, type ShownPage } from '../../../test/harness/oauth.ts';
import { registerPerson, type Person } from '../../../test/harness/people.ts';

const env = { RATE_LIMIT_ENABLED: 'true', TRUST_PROXY: '127.0.0.1', RATE_LIMIT_MAX: '1000' };
const service = await startTestProvider({ env });

let lastAddress = 0;
const freshAddress = () => `198.51.100.${++lastAddress}`;

/** A browser at which somebody is signed in. */
async function browserOf(person: Person): Promise<TestBrowser> {
  const browser = new TestBrowser(service);
  const page = expectPage(await browser.open('/sign-in'), 'sign-in');
  expectPage(await browser.submit(page, { email: person.email, password: person.password }), 'notice');
  return browser;
}

const pageOf = async (browser: TestBrowser) =>
  expectPage(await browser.open('/account/step-up'), 'second-factor');

/** Sends the form of the page from an address that nobody has used before. */
function guess(
  browser: TestBrowser,
  { page }: ShownPage,
  fields: Record<string, string> = { password: 'a guess' },
): Promise<Response> {
  return browser.request(page.form.action, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-forwarded-for': freshAddress(),
    },
    body: new URLSearchParams({ ...page.form.hidden, ...fields }).toString(),
  });
}

async function guessTenTimes(browser: TestBrowser, page: ShownPage): Promise<void> {
  for (let count = 0; count < 10; count++) expect((await guess(browser, page)).status).toBe(403);
}

test('of the wrong passwords of one account, a minute takes ten, from all addresses and browsers', async () => {
  const person = await registerPerson(service);
  const [browser, other] = [await browserOf(person), await browserOf(person)];
  await guessTenTimes(browser, await pageOf(browser));
  for (const one of [browser, other]) {
    const refused = await guess(one, await pageOf(one), { password: person.password });
    expect(refused.status).toBe(429);
    expect(refused.headers.get('content-type')).toContain('text/html');
    expect(refused.headers.get('ratelimit')).toMatch(/"step-up-account";r=0;t=\d+$/);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    const text = await refused.text();
    expect(text).toContain('"name":"error"');
    expect(text).toContain('"code":"request.rate_limited"');
  }
});

test('the account is that of the browser, whatever address the form names', async () => {
  const person = await registerPerson(service);
  const browser = await browserOf(person);
  const page = await pageOf(browser);
  for (let count = 0; count < 11; count++) {
    const email = `somebody-${count}@example.com`;
    const { status } = await guess(browser, page, { password: 'a guess', email });
    expect(status).toBe(count < 10 ? 403 : 429);
  }
});

test('others are not limited by it, nor are the sign-ins of that person', async () => {
  const [person, bystander] = [await registerPerson(service), await registerPerson(service)];
  const browser = await browserOf(person);
  await guessTenTimes(browser, await pageOf(browser));
  const elsewhere = await browserOf(bystander);
  const right = await guess(elsewhere, await pageOf(elsewhere), { password: bystander.password });
  expect([right.status, right.headers.get('location')]).toEqual([303, '/account/security']);
  await browserOf(person);
});

test('a form without its token uses nothing up', async () => {
  const person = await registerPerson(service);
  const browser = await browserOf(person);
  const page = await pageOf(browser);
  for (let count = 0; count < 11; count++)
    expect((await guess(browser, page, { password: 'a guess', csrf: 'x' })).status).toBe(403);
  const right = await guess(browser, page, { password: person.password });
  expect(right.status).toBe(303);
});
