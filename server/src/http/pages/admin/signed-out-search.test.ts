import { expect, test } from 'vitest';
import { AdminPages, peoplePath as list } from '../../../../test/harness/admin-pages.ts';
import { expectPage, startTestProvider } from '../../../../test/harness/oauth.ts';

const service = await startTestProvider();
const pages = await AdminPages.of(service);
const admin = await pages.newAdministrator();

const all = { search: '', show: 'everybody' };
const searches: [string, object][] = [
  ['?search=ada%40example.com&show=everybody', { ...all, search: 'ada@example.com' }],
  ['?search=Zo%C3%AB+%26+%2F%2Fevil.example%23%0D%0A', { ...all, search: 'Zoë & //evil.example#\r\n' }],
  ['?show=banned&next=https://evil.example', { ...all, show: 'banned' }],
  // Longer than what is remembered.
  [`?search=${'я'.repeat(254)}`, all],
  ['?other=1', all],
];

test.each(searches)(
  '%s of somebody who is signed out is there again after signing in',
  async (query, page) => {
    const { shown } = await pages.openAs(admin, `${list}${query}`);
    expect(expectPage(shown, 'people').page).toMatchObject(page);
  },
);

const found = 'search=a&show=everybody';

test.each([
  `https://evil.example${list}?${found}`,
  `//evil.example${list}?${found}`,
  `/\\evil.example${list}?${found}`,
  `/.//evil.example${list}?${found}`,
  `${list}/..//evil.example?${found}`,
  `${list}?${found}&next=https://evil.example`,
  `${list}?${found}&next=x`,
  `${list}?${found}#//evil.example`,
  `${list}?${found}\r\nset-cookie: a=b`,
  `${list}?${found}\n`,
  `${list}?search=//evil.example&show=everybody`,
  `${list}?search=a&search=b&show=everybody`,
  `${list}?search=a&show=me`,
  `${list}?${found}&cursor=..%2f`,
  `${list}?${found}&cursor=`,
])('signing in leads on to nothing that is no search: %j', async (next) => {
  const { shown } = await pages.openAs(admin, `/sign-in?${new URLSearchParams({ next }).toString()}`);
  expect(expectPage(shown, 'notice').page.kind).toBe('signed-in');
});

test('a place in the list that is none is refused before anybody signs in', async () => {
  const { browser } = await pages.openAs(admin, list);
  browser.cookies.clear();
  for (const cursor of ['..%2f', '', 'x'.repeat(201)])
    expect((await browser.request(`${list}?cursor=${cursor}`)).status, cursor).toBe(400);
});
