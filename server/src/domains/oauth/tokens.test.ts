import { decodeJwt } from 'jose';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { registerApplication } from '../../../test/harness/applications.ts';
import { OauthCalls } from '../../../test/harness/oauth-flow.ts';
import { startTestProvider, TestBrowser } from '../../../test/harness/oauth.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';
import { hashOpaqueToken } from '../../lib/secrets.ts';

const service = await startTestProvider();
const owner = new pg.Client({ connectionString: service.ownerUrl });
let calls: OauthCalls;
let others: OauthCalls;
let adminToken: string;
const offline = { scope: 'openid offline_access', prompt: 'consent' };

beforeAll(async () => {
  await owner.connect();
  adminToken = (await signIn(service, await registerPerson(service))).accessToken;
  calls = new OauthCalls(service, await registerApplication(service, adminToken, { access: 'open' }));
  others = new OauthCalls(service, await registerApplication(service, adminToken, { access: 'open' }));
});
afterAll(() => owner.end());

const isActive = async (token: string) => (await calls.introspect(token)).body.active;
const eventsOf = async (userId: string): Promise<string[]> => {
  const { rows } = await owner.query(
    `select type from auth.security_events where user_id = $1 order by created_at, id`,
    [userId],
  );
  return rows.map(({ type }) => type);
};

describe('codes', () => {
  test('a second use is refused and ends the tokens of the first', async () => {
    const { code, verifier, person } = await calls.obtainCode(offline);
    const first = await calls.redeem(code, verifier);
    expect(first.status).toBe(200);
    const second = await calls.redeem(code, verifier);
    expect(second).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect(await isActive(first.body.access_token)).toBe(false);
    expect((await calls.refresh(first.body.refresh_token)).body.error).toBe('invalid_grant');
    expect(await eventsOf(person.id)).toContain('code.reused');
  });

  test('of twenty uses at once, one at most has tokens', async () => {
    const { code, verifier } = await calls.obtainCode(offline);
    const answers = await Promise.all(Array.from({ length: 20 }, () => calls.redeem(code, verifier)));
    expect(answers.filter(({ status }) => status === 200).length).toBe(1);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 400]));
  });

  test('die after a minute', async () => {
    const { code, verifier } = await calls.obtainCode();
    service.clock.advance({ seconds: 60 });
    expect((await calls.redeem(code, verifier)).body.error).toBe('invalid_grant');
  });

  test('belong to the application, the redirect address and the challenge', async () => {
    const { code, verifier } = await calls.obtainCode();
    expect((await others.redeem(code, verifier)).body.error).toBe('invalid_grant');
    const elsewhere = { redirect_uri: 'https://notes.example.com/other' };
    expect((await calls.redeem(code, verifier, elsewhere)).body.error).toBe('invalid_grant');
    expect((await calls.redeem(code, verifier, { redirect_uri: undefined })).body.error).toBe(
      'invalid_request',
    );
    expect((await calls.redeem(code, undefined)).body.error).toBe('invalid_grant');
    expect((await calls.redeem(code, `${verifier.slice(1)}x`)).body.error).toBe('invalid_grant');
    expect((await calls.redeem(code, verifier)).status).toBe(200);
  });
});

describe('refresh', () => {
  test('of twenty refreshes at once, all get the same successor, and it works', async () => {
    const { tokens } = await calls.obtainTokens(offline);
    const answers = await Promise.all(Array.from({ length: 20 }, () => calls.refresh(tokens.refresh_token)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1);
    expect(new Set(answers.map(({ body }) => body.access_token)).size).toBe(1);
    const [first] = answers;
    expect((await calls.refresh(first?.body.refresh_token)).status).toBe(200);
    const { rows } = await owner.query(
      `select count(*) filter (where t.consumed_at is null)::int as live, count(*)::int as count
         from oauth.refresh_tokens t
        where t.family_id = (select family_id from oauth.refresh_tokens where token_hash = sha256($1))`,
      [Buffer.from(tokens.refresh_token)],
    );
    expect(rows[0]).toEqual({ live: 1, count: 3 });
  });

  test('the token just used opens the same answer until its successor is used; then the family dies', async () => {
    const { tokens, person } = await calls.obtainTokens(offline);
    const second = await calls.refresh(tokens.refresh_token);
    service.clock.advance({ seconds: 9 });
    expect((await calls.refresh(tokens.refresh_token)).body).toEqual(second.body);
    const third = await calls.refresh(second.body.refresh_token);
    expect(third.status).toBe(200);
    expect((await calls.refresh(tokens.refresh_token)).body.error).toBe('invalid_grant');
    expect((await calls.refresh(third.body.refresh_token)).body.error).toBe('invalid_grant');
    expect(await isActive(third.body.access_token)).toBe(false);
    expect(await eventsOf(person.id)).toContain('refresh.reused');
  });

  test('used again after the window, it is theft: the family dies', async () => {
    const { tokens, person } = await calls.obtainTokens(offline);
    const second = await calls.refresh(tokens.refresh_token);
    service.clock.advance({ seconds: 10 });
    expect((await calls.refresh(tokens.refresh_token)).body.error).toBe('invalid_grant');
    expect((await calls.refresh(second.body.refresh_token)).body.error).toBe('invalid_grant');
    expect(await isActive(second.body.access_token)).toBe(false);
    expect((await eventsOf(person.id)).filter((type) => type === 'refresh.reused')).toHaveLength(1);
  });

  test('another application that has the token gets nothing, and does no harm', async () => {
    const { tokens } = await calls.obtainTokens(offline);
    expect((await others.refresh(tokens.refresh_token)).body.error).toBe('invalid_grant');
    const second = await calls.refresh(tokens.refresh_token);
    expect(second.status).toBe(200);
    expect((await others.refresh(tokens.refresh_token)).body.error).toBe('invalid_grant');
    expect((await calls.refresh(second.body.refresh_token)).status).toBe(200);
  });

  test('lives thirty days from the sign-in, whatever is refreshed in between', async () => {
    const { tokens } = await calls.obtainTokens(offline);
    let current = tokens.refresh_token;
    for (let day = 1; day < 30; day += 7) {
      service.clock.advance({ days: 7 });
      const { status, body } = await calls.refresh(current);
      expect([day, status]).toEqual([day, day + 7 <= 30 ? 200 : 400]);
      if (status === 200) current = body.refresh_token;
    }
  });

  test('without offline_access it ends with the session', async () => {
    const { tokens, browser } = await calls.obtainTokens();
    expect((await calls.refresh(tokens.refresh_token)).status).toBe(200);
    service.clock.advance({ days: 7 });
    expect((await calls.refresh(tokens.refresh_token)).body.error).toBe('invalid_grant');
    expect(browser.cookies.size).toBeGreaterThan(0);
  });

  test('the scope only narrows', async () => {
    const { tokens } = await calls.obtainTokens({ scope: 'openid email offline_access', prompt: 'consent' });
    const wider = await calls.refresh(tokens.refresh_token, { scope: 'openid email profile' });
    expect(wider.body.error).toBe('invalid_scope');
    const narrower = await calls.refresh(tokens.refresh_token, { scope: 'openid' });
    expect(narrower).toMatchObject({ status: 200, body: { scope: 'openid' } });
    expect((await calls.refresh(narrower.body.refresh_token)).body.scope).toBe('openid email offline_access');
  });

  test(
    'refresh against revocation, again and again: what has come out is dead',
    { timeout: 120_000 },
    async () => {
      const person = await registerPerson(service);
      const browser = new TestBrowser(service);
      for (let round = 0; round < 25; round++) {
        const { tokens } = await calls.obtainTokens(offline, { person, browser });
        const [refreshed, revoked] = await Promise.all([
          calls.refresh(tokens.refresh_token),
          calls.revoke(tokens.refresh_token),
        ]);
        expect([revoked.status, revoked.body]).toEqual([200, '']);
        expect(await isActive(tokens.access_token)).toBe(false);
        if (refreshed.status === 200) {
          expect(await isActive(refreshed.body.access_token)).toBe(false);
          expect((await calls.refresh(refreshed.body.refresh_token)).body.error).toBe('invalid_grant');
        } else expect(refreshed.body.error).toBe('invalid_grant');
      }
    },
  );
});

describe('revocation', () => {
  test('of a refresh token kills family and grant: consent is asked again', async () => {
    const { tokens, person, browser } = await calls.obtainTokens(offline);
    expect((await calls.revoke(tokens.refresh_token)).status).toBe(200);
    expect(await isActive(tokens.access_token)).toBe(false);
    const { rows } = await owner.query(`select revoked_at from apps.grants where user_id = $1`, [person.id]);
    expect(rows[0].revoked_at).not.toBeNull();
    const silent = await browser.open(calls.authorizeUrl({ prompt: 'none', code_challenge: undefined }));
    expect(silent).toBeInstanceOf(URL);
  });

  test('is all that is written down of an access token', async () => {
    const { tokens } = await calls.obtainTokens(offline);
    const { body: refreshed } = await calls.refresh(tokens.refresh_token);
    const { jti, sid } = decodeJwt(refreshed.access_token);
    const rowsOf = async () =>
      (
        await owner.query(
          'select jti_hash, revoked_at from oauth.access_tokens where authorization_id = $1',
          [sid],
        )
      ).rows;
    expect(await isActive(refreshed.access_token)).toBe(true);
    expect(await rowsOf()).toEqual([]);
    await calls.revoke(refreshed.access_token);
    expect(await isActive(refreshed.access_token)).toBe(false);
    expect(await rowsOf()).toEqual([
      { jti_hash: hashOpaqueToken(String(jti)), revoked_at: service.clock.now() },
    ]);
    await owner.query('update oauth.authorizations set revoked_at = null where id = $1', [sid]);
    expect(await isActive(refreshed.access_token)).toBe(false);
    expect(await isActive(tokens.access_token)).toBe(true);
  });

  test('of an unknown token is 200; of another application leaves the token alone', async () => {
    expect((await calls.revoke('unknown')).status).toBe(200);
    expect((await calls.revoke('a.b.c')).status).toBe(200);
    const { tokens } = await calls.obtainTokens(offline);
    expect((await others.revoke(tokens.refresh_token)).status).toBe(200);
    expect((await others.revoke(tokens.access_token)).status).toBe(200);
    expect(await isActive(tokens.access_token)).toBe(true);
  });
});

describe('introspection', () => {
  test('of more tokens at once than there are connections', async () => {
    const { tokens } = await calls.obtainTokens();
    const answers = await Promise.all(
      Array.from({ length: 64 }, () => calls.introspect(tokens.access_token)),
    );
    expect(answers.every(({ body }) => body.active)).toBe(true);
  });

  test('needs client authentication, and says nothing of what is not active', async () => {
    expect(
      (await calls.post('/oauth/introspect', { token: 'x', client_id: calls.client.clientId }, {})).status,
    ).toBe(401);
    const { tokens } = await calls.obtainTokens();
    for (const token of ['unknown', 'a.b.c', tokens.id_token, `${tokens.access_token}x`, adminToken]) {
      expect((await calls.introspect(token)).body).toEqual({ active: false });
    }
    expect((await others.introspect(tokens.access_token)).body).toEqual({ active: false });
  });

  test('tells an application nothing that cannot show who it is, not even of its own tokens', async () => {
    const { accessToken } = await signIn(service, await registerPerson(service));
    const app = await registerApplication(service, accessToken, { type: 'public', access: 'open' });
    const anyone = new OauthCalls(service, app);
    const { tokens } = await anyone.obtainTokens();
    for (const token of [tokens.access_token, tokens.refresh_token])
      expect((await anyone.introspect(token)).body).toEqual({ active: false });
    expect((await anyone.refresh(tokens.refresh_token)).status).toBe(200);
  });

  test('shows a sign-out at once', async () => {
    const { tokens, person } = await calls.obtainTokens();
    expect(await isActive(tokens.access_token)).toBe(true);
    await owner.query(`update auth.sessions set revoked_at = $2 where user_id = $1`, [
      person.id,
      service.clock.now(),
    ]);
    expect(await isActive(tokens.access_token)).toBe(false);
    expect(await isActive(tokens.refresh_token)).toBe(false);
  });

  test('shows a new role and a deactivation at once', async () => {
    const { tokens, person } = await calls.obtainTokens(offline);
    expect((await calls.introspect(tokens.access_token)).body).toMatchObject({ role: 'editor' });
    await owner.query(`update apps.memberships set role = 'admin' where user_id = $1`, [person.id]);
    expect((await calls.introspect(tokens.access_token)).body).toMatchObject({ role: 'admin' });
    const refreshed = await calls.refresh(tokens.refresh_token);
    const [, payload = ''] = refreshed.body.access_token.split('.');
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({ roles: ['admin'] });
    await owner.query(`update auth.users set is_active = false where id = $1`, [person.id]);
    expect(await isActive(refreshed.body.access_token)).toBe(false);
    expect((await calls.refresh(refreshed.body.refresh_token)).body.error).toBe('invalid_grant');
  });
});
