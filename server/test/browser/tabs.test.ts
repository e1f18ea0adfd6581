import { expect, test } from 'vitest';
import { registerApplication } from '../harness/applications.ts';
import { OauthCalls } from '../harness/oauth-flow.ts';
import { startTestProvider } from '../harness/oauth.ts';
import { registerPerson, signIn } from '../harness/people.ts';
import { connectAsOwner } from '../harness/wallets.ts';
import { openBrowser } from './browser.ts';
import { openOtherOrigin, type OtherOrigin } from './other-origin.ts';

// Two apps, each a page with one refresh token for all its tabs: ours, and one that came in by OAuth.
const ours = await openOtherOrigin();
const theirs = await openOtherOrigin({ host: '127.0.0.1' });
const service = await startTestProvider({
  startAt: new Date().toISOString(),
  env: { CORS_ORIGINS: ours.origin },
});
const owner = await connectAsOwner(service);
const browser = await openBrowser();
const tabsCount = 20;

/** What an app does in each of its tabs: keeps what it was given, and renews it when all are told to. */
const script = `
  const kept = () => localStorage.getItem('token');
  const keep = (token) => localStorage.setItem('token', token);
  const mine = kept();
  window.outcome = new Promise((resolve) => {
    const superseded = () => {
      if (kept() === null) resolve({ token: null });
      else if (kept() !== mine) resolve({ token: kept() });
      else addEventListener('storage', superseded, { once: true });
    };
    addEventListener('storage', async ({ key }) => {
      if (key !== 'renew') return;
      const { refreshToken, accessToken, code } = await renew(mine);
      if (refreshToken) {
        keep(refreshToken);
        resolve({ token: refreshToken, accessToken });
      } else if (code === 'auth.refresh_superseded') superseded();
      else {
        localStorage.removeItem('token');
        resolve({ token: null, code });
      }
    });
  });
`;

const renewOurs = `
  const renew = async (refreshToken) => {
    const response = await fetch('${service.issuer}/api/v1/auth/refresh', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ refreshToken }),
    });
    return response.json();
  };
`;

const renewTheirs = (clientId: string) => `
  const renew = async (token) => {
    const response = await fetch('${service.issuer}/oauth/token', {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token, client_id: '${clientId}' }),
    });
    const { refresh_token: refreshToken, access_token: accessToken, error: code } = await response.json();
    return { refreshToken, accessToken, code };
  };
`;

type Outcome = { token: string | null; accessToken?: string; code?: string };

/** Opens the app in many tabs of one browser, which is signed in with this refresh token. */
async function openTabs(app: OtherOrigin, code: string, refreshToken: string) {
  app.serve('/app.js', `{${code}${script}}`);
  app.serve('/', '<!doctype html><title>App</title><script src="/app.js"></script>');
  const context = await browser.newContext();
  const tabs = await Promise.all(Array.from({ length: tabsCount }, () => context.newPage()));
  await tabs[0]!.goto(`${app.origin}/empty`);
  await tabs[0]!.evaluate((token) => localStorage.setItem('token', token), refreshToken);
  const load = () => Promise.all(tabs.map((tab) => tab.goto(app.origin)));
  return {
    /** Has all tabs renew what they hold, at once, and returns what each of them has then. */
    renew: async (): Promise<Outcome[]> => {
      await load();
      const teller = await context.newPage();
      await teller.goto(`${app.origin}/empty`);
      await teller.evaluate(() => localStorage.setItem('renew', crypto.randomUUID()));
      const outcomes = await Promise.all(
        tabs.map((tab) =>
          tab.evaluate(() => (globalThis as unknown as { outcome: Promise<Outcome> }).outcome),
        ),
      );
      await teller.close();
      return outcomes;
    },
    kept: () => tabs[0]!.evaluate(() => localStorage.getItem('token')),
  };
}

const eventsOf = async (userId: string): Promise<string[]> => {
  const { rows } = await owner.query(
    `select type from auth.security_events where user_id = $1 and type = 'refresh.reused'`,
    [userId],
  );
  return rows.map(({ type }) => type);
};

const countLive = async (table: string, condition: string, values: unknown[]): Promise<number> => {
  const { rows } = await owner.query(
    `select count(*)::int as count from ${table} where consumed_at is null and ${condition}`,
    values,
  );
  return rows[0].count;
};

test('20 tabs of ours refresh at once: one has the new token, nobody is signed out', async () => {
  const person = await registerPerson(service);
  const { refreshToken } = await signIn(service, person);
  const tabs = await openTabs(ours, renewOurs, refreshToken);
  for (let round = 0; round < 2; round++) {
    const outcomes = await tabs.renew();
    expect(outcomes.filter(({ accessToken }) => accessToken !== undefined)).toHaveLength(1);
    expect(new Set(outcomes.map(({ token }) => token))).toEqual(new Set([await tabs.kept()]));
    expect(await tabs.kept()).not.toBeNull();
  }
  const ofPerson = 'session_id in (select id from auth.sessions where user_id = $1)';
  expect(await countLive('auth.refresh_tokens', ofPerson, [person.id])).toBe(1);
  expect(await eventsOf(person.id)).toEqual([]);

  service.clock.advance({ seconds: 10 });
  const stolen = await service.send('POST', '/api/v1/auth/refresh', { body: { refreshToken } });
  expect(stolen).toMatchObject({ status: 401, body: { code: 'auth.refresh_reused' } });
  const outcomes = await tabs.renew();
  for (const outcome of outcomes) expect(outcome).toEqual({ token: null, code: 'auth.refresh_invalid' });
  expect(await eventsOf(person.id)).toEqual(['refresh.reused']);
}, 120_000);

test('20 tabs of an application refresh at once: all have the same new token, and only it lives', async () => {
  const redirectUri = `${theirs.origin}/callback`;
  const { accessToken } = await signIn(service, await registerPerson(service));
  const given = { access: 'open', type: 'public', redirectUri };
  const app = { ...(await registerApplication(service, accessToken, given)), redirectUri };
  const calls = new OauthCalls(service, app);
  const { tokens, person } = await calls.obtainTokens({ scope: 'openid offline_access', prompt: 'consent' });
  const tabs = await openTabs(theirs, renewTheirs(app.clientId), tokens.refresh_token);
  const userinfo = (token = '') =>
    fetch(`${service.issuer}/userinfo`, { headers: { authorization: `Bearer ${token}` } });
  let last: Outcome = { token: tokens.refresh_token };
  for (let round = 0; round < 2; round++) {
    const outcomes = await tabs.renew();
    expect(outcomes).toEqual(Array(tabsCount).fill(outcomes[0]));
    expect(outcomes[0]!.token).not.toBe(last.token);
    last = outcomes[0]!;
    expect((await userinfo(last.accessToken)).status).toBe(200);
  }
  const ofPerson = 'authorization_id in (select id from oauth.authorizations where user_id = $1)';
  expect(await countLive('oauth.refresh_tokens', ofPerson, [person.id])).toBe(1);
  expect(await eventsOf(person.id)).toEqual([]);

  service.clock.advance({ seconds: 10 });
  expect((await calls.refresh(tokens.refresh_token)).body.error).toBe('invalid_grant');
  const outcomes = await tabs.renew();
  for (const outcome of outcomes) expect(outcome).toEqual({ token: null, code: 'invalid_grant' });
  expect((await userinfo(last.accessToken)).status).toBe(401);
  expect(await eventsOf(person.id)).toEqual(['refresh.reused']);
}, 120_000);
