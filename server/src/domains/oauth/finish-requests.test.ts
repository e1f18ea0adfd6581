import { expect, test, vi } from 'vitest';
import { registerApplication } from '../../../test/harness/applications.ts';
import { startTestService } from '../../../test/harness/index.ts';
import { OauthCalls } from '../../../test/harness/oauth-flow.ts';
import { newPkce, startTestProvider, type TestBrowser } from '../../../test/harness/oauth.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';
import { connectAsOwner } from '../../../test/harness/wallets.ts';

const service = await startTestProvider();
const owner = await connectAsOwner(service);
const other = await connectAsOwner(service);
const { accessToken: adminToken } = await signIn(service, await registerPerson(service));
const app = await registerApplication(service, adminToken, { access: 'open' });
const calls = new OauthCalls(service, app);
const second = await startTestService({
  shareDatabaseWith: service,
  clock: service.clock,
  env: { BASE_URL: service.issuer },
});
const elsewhere = new OauthCalls({ ...service, url: second.url }, app);
const offline = { scope: 'openid offline_access', prompt: 'consent' };

/** Has something happen after a request has been worked on, right before it is written down. */
function beforeFinish(work: () => Promise<unknown>): void {
  const call = service.ctx.db.call.bind(service.ctx.db);
  const spy = vi.spyOn(service.ctx.db, 'call');
  spy.mockImplementation(async (text, values) => {
    if (text.includes('oauth.finish_requests')) {
      spy.mockRestore();
      await work();
    }
    return call(text, values);
  });
}

const countOf = async (table: string): Promise<number> =>
  (await owner.query<{ count: number }>(`select count(*)::int as count from oauth.${table}`)).rows[0]
    ?.count ?? 0;
const authorize = async (browser: TestBrowser): Promise<string> => {
  const { challenge } = newPkce();
  const pkce = { code_challenge: challenge, code_challenge_method: 'S256' };
  const response = await browser.request(calls.authorizeUrl(pkce));
  return new URL(response.headers.get('location') ?? '', service.issuer).href;
};

const countWaiting = async (): Promise<number> =>
  (await other.query('select count(*)::int as count from pg_locks where not granted')).rows[0].count;

/** What makes an authorization die, by the ids of its row. */
const ends = {
  'its session ends':
    'update auth.sessions set revoked_at = $2 where id = (select session_id from oauth.authorizations where id = $1)',
  'the grant is taken back':
    'update apps.grants set revoked_at = $2 where id = (select grant_id from oauth.authorizations where id = $1)',
  'it is revoked': 'update oauth.authorizations set revoked_at = $2 where id = $1',
  'it is gone': 'delete from oauth.authorizations where id = $1 and $2::timestamptz is not null',
};

test.each(Object.entries(ends))('when %s meanwhile, no token comes out', async (_what, sql) => {
  const { code, verifier, person, browser } = await calls.obtainCode();
  const { tokens } = await calls.obtainTokens({}, { person, browser });
  const { sid } = JSON.parse(Buffer.from(tokens.access_token.split('.')[1], 'base64url').toString());
  const before = await countOf('refresh_tokens');
  for (const ask of [() => calls.refresh(tokens.refresh_token), () => calls.redeem(code, verifier)]) {
    beforeFinish(() => owner.query(sql, [sid, service.clock.now()]));
    const { status, body } = await ask();
    expect([status, body.error, body.access_token]).toEqual([400, 'invalid_grant', undefined]);
  }
  expect(await countOf('refresh_tokens')).toBeLessThanOrEqual(before);
});

test.each(['its session ends', 'the grant is taken back'] as const)(
  'when %s meanwhile, no code comes out',
  async (what) => {
    const { tokens, browser } = await calls.obtainTokens();
    const { sid } = JSON.parse(Buffer.from(tokens.access_token.split('.')[1], 'base64url').toString());
    beforeFinish(() => owner.query(ends[what], [sid, service.clock.now()]));
    expect(await authorize(browser)).toMatch(/\/interaction\//);
  },
);

test('an application that is switched off meanwhile gets nothing', async () => {
  const closing = await registerApplication(service, adminToken, { access: 'open' });
  const itsCalls = new OauthCalls(service, closing);
  const { tokens } = await itsCalls.obtainTokens();
  beforeFinish(() =>
    owner.query('update apps.applications set is_active = false where id = $1', [closing.id]),
  );
  expect(await itsCalls.refresh(tokens.refresh_token)).toMatchObject({
    status: 401,
    body: { error: 'invalid_client' },
  });
});

test('who loses the race for a refresh token is given the answer of the winner', async () => {
  const { tokens } = await calls.obtainTokens(offline);
  let winner: unknown;
  beforeFinish(async () => {
    winner = (await elsewhere.refresh(tokens.refresh_token)).body;
  });
  const { status, headers, body } = await calls.refresh(tokens.refresh_token);
  expect([status, body]).toEqual([200, winner]);
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect((await calls.refresh(body.refresh_token)).status).toBe(200);
});

test('who loses the race for a code ends what the winner got', async () => {
  const { code, verifier } = await calls.obtainCode();
  let winner: any;
  beforeFinish(async () => {
    winner = (await elsewhere.redeem(code, verifier)).body;
  });
  expect((await calls.redeem(code, verifier)).body.error).toBe('invalid_grant');
  expect((await calls.introspect(winner.access_token)).body).toEqual({ active: false });
});

test('who finds the authorization held by somebody waits until it is let go', async () => {
  const { tokens, browser } = await calls.obtainTokens();
  await owner.query('begin');
  await owner.query('select from oauth.authorizations for no key update');
  const asked = Promise.all([calls.refresh(tokens.refresh_token), authorize(browser)]);
  await expect.poll(countWaiting, { timeout: 20_000 }).toBe(2);
  await owner.query('commit');
  const [refreshed, location] = await asked;
  expect(refreshed.status).toBe(200);
  expect(location).toMatch(/[?&]code=/);
});

test('what changes about an application counts with the next request', async () => {
  const changing = await registerApplication(service, adminToken, { access: 'open' });
  const itsCalls = new OauthCalls(service, changing);
  const { tokens, browser, person } = await itsCalls.obtainTokens(offline);
  const moved = 'https://moved.example.com/callback';
  await owner.query('update apps.applications set redirect_uris = array[$2] where id = $1', [
    changing.id,
    moved,
  ]);
  const there = await itsCalls.obtainCode({ redirect_uri: moved }, { browser, person });
  expect(there.code).not.toBe('');
  expect((await browser.request(itsCalls.authorizeUrl())).status).toBe(400);
  await owner.query('delete from apps.application_secrets where application_id = $1', [changing.id]);
  expect((await itsCalls.refresh(tokens.refresh_token)).body.error).toBe('invalid_client');
});
