import { randomInt, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, expect, test, vi } from 'vitest';
import { importedHash as passwordHash, jsonLines, takeIn } from '../../../../test/harness/imports.ts';
import { expectCallback, startTestProvider, TestBrowser } from '../../../../test/harness/oauth.ts';
import { registerPerson, signIn } from '../../../../test/harness/people.ts';
import { startStandIn } from '../../../../test/harness/stand-in-provider.ts';
import { accountsOf, comeBack, locationOf, tokensOf } from '../../../../test/harness/upstream.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';

// Accounts elsewhere come under the issuer by which sign-in knows their provider.

const github = await startStandIn();
const service = await startTestProvider({
  env: { SOCIAL_GITHUB_CLIENT_ID: 'github-client', SOCIAL_GITHUB_CLIENT_SECRET: 'github secret' },
});
const owner = await connectAsOwner(service);
const newEmail = () => `${randomUUID()}@example.com`;
const newGithubId = () => randomInt(1, 2 ** 47);
const [oldIssuer, issuer] = ['https://github.com', 'https://github.com/login/oauth'];

/** The stand-in answers for github.com. */
const fetchElsewhere = globalThis.fetch;
vi.stubGlobal('fetch', (input: string, init?: RequestInit) => {
  const url = new URL(input);
  if (url.hostname === 'github.com') return fetchElsewhere(`${github.issuer}${url.pathname}`, init);
  if (url.hostname === 'api.github.com')
    return fetchElsewhere(`${github.issuer}/api/v3${url.pathname}`, init);
  return fetchElsewhere(input, init);
});
afterAll(() => vi.unstubAllGlobals());

/** Signs in at GitHub as somebody whose address there nobody knows here. */
async function signInByGithub(id: number) {
  const emails = [{ email: newEmail(), primary: true, verified: true }];
  github.github = { user: { id, login: 'ada' }, emails };
  const browser = new TestBrowser(service);
  const { searchParams: asked } = expectCallback(await browser.open('/sign-in/with/github'));
  const answer = await comeBack(browser, github, asked, { iss: undefined });
  expect(locationOf(answer)).toBe('/sign-in?done');
  return tokensOf(service, browser);
}

test.each(['github', 'github.com', 'https://github.com'])(
  'whoever came with an account at %s signs in by GitHub',
  async (provider) => {
    const [email, id] = [newEmail(), newGithubId()];
    await takeIn(service, jsonLines({ email, accounts: [{ provider, id }] }));
    expect((await signInByGithub(id)).user.email).toBe(email);
  },
);

test('each provider has the issuer of sign-in, and one without an issuer is left out', async () => {
  const email = newEmail();
  const id = randomUUID();
  const providers = [
    'google',
    'apple.com',
    'https://appleid.apple.com/',
    'https://family.eu.auth0.com',
    'https://login.example.com/realms/staff',
    'microsoft',
    'constructor',
  ];
  const accounts = providers.map((provider, index) => ({ provider, id: `${id}-${index}` }));
  const taken = await takeIn(service, jsonLines({ email, passwordHash, accounts }));
  expect(taken.notes).toMatchObject([{ outcome: 'created', reason: 'account_provider_unknown' }]);
  const { accessToken } = await signIn(service, { email, password: 'imported pass', id: '' });
  const issuers = (await accountsOf(service, accessToken)).map((account): string => account.issuer);
  expect(issuers.toSorted()).toEqual([
    'https://accounts.google.com',
    'https://appleid.apple.com',
    'https://appleid.apple.com',
    'https://family.eu.auth0.com/',
    'https://login.example.com/realms/staff',
  ]);
});

test('accounts at GitHub that were imported before sign in whom they came with, and nobody else', async () => {
  const [came, double, later] = [newGithubId(), newGithubId(), newGithubId()];
  const [first, second] = [newEmail(), newEmail()];
  await takeIn(
    service,
    jsonLines({ email: first, accounts: `github:${came}` }, { email: second, accounts: `github:${double}` }),
  );
  await owner.query('update auth.accounts set provider = $1 where provider_account_id = any ($2)', [
    oldIssuer,
    [came, double],
  ]);
  const { user: other } = await signInByGithub(double);
  const ada = await registerPerson(service);
  await owner.query(
    `insert into auth.accounts (id, user_id, provider, provider_account_id, created_at, last_used_at)
     values (gen_random_uuid(), $1, $2, $3, now(), now())`,
    [ada.id, oldIssuer, later],
  );
  const file = new URL('../../../db/migrations/0063_import.sql', import.meta.url);
  const migration = await readFile(file, 'utf8');
  await owner.query(/^update auth\.accounts a[^;]*;/m.exec(migration)?.[0] ?? 'missing');
  await owner.query(/^delete from auth\.accounts a[^;]*;/m.exec(migration)?.[0] ?? 'missing');

  expect((await signInByGithub(came)).user.email).toBe(first);
  expect((await signInByGithub(double)).user.id).toBe(other.id);
  expect((await signInByGithub(later)).user.id).not.toBe(ada.id);
  const { rows } = await owner.query('select distinct provider from auth.accounts where provider like $1', [
    '%github%',
  ]);
  expect(rows).toEqual([{ provider: issuer }]);
});
