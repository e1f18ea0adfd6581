import { createRemoteJWKSet, jwtVerify } from 'jose';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { registerApplication } from '../../../../test/harness/applications.ts';
import { OauthCalls } from '../../../../test/harness/oauth-flow.ts';
import { expectPage, startTestProvider } from '../../../../test/harness/oauth.ts';
import { registerPerson, signIn } from '../../../../test/harness/people.ts';
import { answer, startReceiver } from '../../../../test/harness/receiver.ts';

const service = await startTestProvider({ env: { WEBHOOK_ALLOW_LOOPBACK: 'true' } });
const receiver = await startReceiver();
const owner = new pg.Client({ connectionString: service.ownerUrl });
const jwks = createRemoteJWKSet(new URL(`${service.url}/.well-known/jwks.json`));
const offline = { scope: 'openid offline_access', prompt: 'consent' };
let adminToken: string;

beforeAll(async () => {
  await owner.connect();
  adminToken = (await signIn(service, await registerPerson(service))).accessToken;
});
afterAll(() => owner.end());

const startWith = async (given: Record<string, unknown>) =>
  new OauthCalls(service, await registerApplication(service, adminToken, { access: 'open', ...given }));

describe('back-channel logout', () => {
  test('tells every application of the session, however it ended, until it arrives', async () => {
    const backchannelLogoutUri = receiver.url.replace('127.0.0.1', 'localhost');
    const calls = await startWith({ backchannelLogoutUri, idTokenAlgorithm: 'ES256' });
    const { browser, person, tokens } = await calls.obtainTokens();
    receiver.reply = answer(503);
    const page = expectPage(await browser.open('/sign-out'), 'sign-out');
    expectPage(await browser.submit(page, { decision: 'sign-out' }), 'signed-out');
    await service.ctx.jobs.runDue();
    receiver.reply = answer(200);
    await service.ctx.jobs.runDue({ ignoreDelay: true });
    await service.ctx.jobs.runDue({ ignoreDelay: true });
    expect(receiver.received).toHaveLength(2);
    const token = new URLSearchParams(receiver.received[1]?.body).get('logout_token') ?? '';
    const { payload, protectedHeader } = await jwtVerify(token, jwks, {
      issuer: service.issuer,
      audience: calls.client.clientId,
      typ: 'logout+jwt',
    });
    expect(protectedHeader.alg).toBe('ES256');
    const idToken = JSON.parse(Buffer.from(tokens.id_token.split('.')[1], 'base64url').toString());
    expect(payload).toMatchObject({
      sub: person.id,
      sid: idToken.sid,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      jti: expect.any(String),
    });
    expect(payload['nonce']).toBeUndefined();
    const { rows } = await owner.query('select attempts, last_error, delivered_at from oauth.logout_notices');
    expect(rows).toEqual([{ attempts: 2, last_error: null, delivered_at: service.clock.now() }]);
  });
});

describe('cleaning up', () => {
  test('removes what has died and leaves alone what lives', async () => {
    const calls = await startWith({});
    const { tokens } = await calls.obtainTokens(offline);
    const { body: second } = await calls.refresh(tokens.refresh_token);
    const countOf = async (table: string) =>
      (await owner.query(`select count(*)::int as count from oauth.${table}`)).rows[0].count;
    await owner.query(
      `insert into oauth.interactions (uid_hash, prompt, reasons, details, parameters, trusted_parameters,
         correlation_id, expires_at) values ('\\x01', 'login', '{}', '{}', '{}', '{}', 'x', $1)`,
      [service.clock.now()],
    );
    service.clock.advance({ days: 2 });
    await owner.query(`select obol.enqueue_job('clean-up-oauth', '{}')`);
    await service.ctx.jobs.runDue();
    expect([await countOf('interactions'), await countOf('access_tokens')]).toEqual([0, 0]);
    const { rows } = await owner.query(
      `select count(*)::int as count from oauth.refresh_tokens where sealed_answer is not null`,
    );
    expect(rows[0].count).toBe(0);
    expect((await calls.refresh(second.refresh_token)).status).toBe(200);
    service.clock.advance({ days: 40 });
    await owner.query(`select obol.enqueue_job('clean-up-oauth', '{}')`);
    await service.ctx.jobs.runDue();
    expect([await countOf('authorizations'), await countOf('refresh_tokens')]).toEqual([0, 0]);
  });
});
