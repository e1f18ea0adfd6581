import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { codeOf, registerWithTotp } from '../../../../test/harness/factors.ts';
import { startTestService, type TestService } from '../../../../test/harness/index.ts';
import { untilSomebodyWaits } from '../../../../test/harness/locks.ts';
import { startTestProvider } from '../../../../test/harness/oauth.ts';
import { registerPerson, signIn } from '../../../../test/harness/people.ts';
import { startStandIn } from '../../../../test/harness/stand-in-provider.ts';
import { confirmAddress } from '../../../../test/harness/upstream.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';

const issuer = await startStandIn();
const audience = 'https://api.example.com';
const env = { TRUSTED_ISSUERS: `${issuer.issuer}|${audience}` };
const service = await startTestProvider({ env });
const owner = await connectAsOwner(service);

type Owner = { sub: string; email: string };

function tokenFor({ sub, email }: Owner, more: Record<string, unknown> = {}): Promise<string> {
  const iat = Math.floor(service.clock.now().getTime() / 1000);
  const claims = {
    iss: issuer.issuer,
    sub,
    aud: audience,
    iat,
    exp: iat + 3600,
    email,
    email_verified: true,
  };
  return issuer.sign({ ...claims, ...more });
}

const me = (token: string, at: TestService = service) => at.send('GET', '/api/users/me', { token });
const newOwner = (email = `${randomUUID()}@example.com`) => ({ sub: randomUUID(), email });
const byTwo = { amr: ['pwd', 'mfa'] };
const refused = { status: 403, body: { code: 'auth.second_factor_required', methods: [] } };

/** Somebody with a password here and a token that has been accepted. */
async function arrive() {
  const person = await registerPerson(service);
  await confirmAddress(service, person);
  const here = newOwner(person.email);
  const token = await tokenFor(here);
  expect((await me(token)).body.id).toBe(person.id);
  return { person, here, token };
}

/** Switches codes from an app on, in a session of the person's own. */
async function switchOn({ accessToken }: { accessToken: string }): Promise<void> {
  const { body } = await service.send('POST', '/api/v1/auth/2fa/setup', { token: accessToken });
  const enabling = { token: accessToken, body: { code: codeOf(service, body.secret) } };
  expect((await service.send('POST', '/api/v1/auth/2fa/enable', enabling)).status).toBe(200);
}

test('a token that does not say so gets nobody past their second factor; one that does, and the trail says it', async () => {
  const holder = await registerWithTotp(service);
  await confirmAddress(service, holder);
  const here = newOwner(holder.email);
  expect(await me(await tokenFor(here))).toMatchObject(refused);
  expect(await me(await tokenFor(here, { amr: 'mfa' }))).toMatchObject(refused);
  const token = await tokenFor(here, byTwo);
  expect((await me(token)).body.id).toBe(holder.id);
  const { body } = await service.send('GET', '/api/v1/auth/security-events', { token });
  expect(body.events).toContainEqual(
    expect.objectContaining({
      type: 'login.succeeded',
      sessionId: expect.any(String),
      details: { methods: ['fed', 'mfa'], acr: 'urn:obol:second-factor', provider: issuer.issuer },
    }),
  );
});

test('the session of such tokens says how it came about, one for each strength', async () => {
  const { person, here } = await arrive();
  for (const more of [{ jti: 'another' }, byTwo, { ...byTwo, jti: 'one more' }])
    expect((await me(await tokenFor(here, more))).status).toBe(200);
  const { rows } = await owner.query(
    'select amr from auth.sessions where user_id = $1 and account_id is not null order by cardinality(amr)',
    [person.id],
  );
  expect(rows).toEqual([{ amr: ['fed'] }, { amr: ['fed', 'mfa'] }]);
});

test('who switches a second factor on ends what came without one; their own devices stay', async () => {
  const { person, here, token } = await arrive();
  const [one, other] = [await signIn(service, person), await signIn(service, person)];
  const strong = await tokenFor(here, byTwo);
  expect((await me(strong)).status).toBe(200);
  await switchOn(one);
  expect(await me(token)).toMatchObject({ status: 401, body: { code: 'auth.session_ended' } });
  for (const kept of [one.accessToken, other.accessToken, strong]) expect((await me(kept)).status).toBe(200);
  service.clock.advance({ seconds: 2 });
  expect(await me(await tokenFor(here))).toMatchObject(refused);
  expect((await me(await tokenFor(here, { ...byTwo, jti: 'next' }))).status).toBe(200);
});

test('who switches it on by such a token ends the session that all of them stand for', async () => {
  const { here } = await arrive();
  const shown = { auth_time: Math.floor(service.clock.now().getTime() / 1000) };
  const [token, other] = [await tokenFor(here, shown), await tokenFor(here, { ...shown, jti: 'other' })];
  for (const one of [token, other]) expect((await me(one)).status).toBe(200);
  await switchOn({ accessToken: token });
  for (const one of [token, other]) expect((await me(one)).body.code).toBe('auth.session_ended');
});

test('a token that comes while a second factor is being switched on is judged by it', async () => {
  const { person, here } = await arrive();
  await owner.query('begin');
  await owner.query('select from auth.users where id = $1 for no key update', [person.id]);
  const coming = me(await tokenFor(here, { jti: 'coming' }));
  await untilSomebodyWaits(owner);
  await owner.query(
    `insert into auth.two_factor_auth (user_id, sealed_secret, enabled_at, created_at) values ($1, '', $2, $2)`,
    [person.id, service.clock.now()],
  );
  await owner.query('commit');
  expect(await coming).toMatchObject(refused);
});

test('TRUSTED_ISSUERS_MFA says that the sign-in there is enough, for coming in and no more', async () => {
  const trusting = await startTestService({
    env: { ...env, TRUSTED_ISSUERS_MFA: 'true' },
    shareDatabaseWith: service,
    clock: service.clock,
  });
  const holder = await registerWithTotp(service);
  await confirmAddress(service, holder);
  const here = newOwner(holder.email);
  const token = await tokenFor(here, { auth_time: Math.floor(service.clock.now().getTime() / 1000) });
  expect((await me(token)).status).toBe(403);
  expect((await me(token, trusting)).body.id).toBe(holder.id);
  const codes = await trusting.send('POST', '/api/v1/auth/2fa/backup-codes', { token });
  expect(codes.body.code).toBe('auth.step_up_required');
});

test('the upgrade ends what had passed a second factor by, and says of the others how they came about', async () => {
  const [holder, other] = [await arrive(), await arrive()];
  await owner.query(`update auth.sessions set amr = '{pwd}' where account_id is not null`);
  await owner.query(
    `insert into auth.two_factor_auth (user_id, sealed_secret, enabled_at, created_at) values ($1, '', $2, $2)`,
    [holder.person.id, service.clock.now()],
  );
  const path = new URL('../../../db/migrations/0065_ways_in.sql', import.meta.url);
  const statements = (await readFile(path, 'utf8')).match(/^update auth\.sessions[^;]*;/gm) ?? [];
  expect(statements).toHaveLength(2);
  await owner.query(statements.join('\n'));
  expect(await me(holder.token)).toMatchObject({ status: 401, body: { code: 'auth.session_ended' } });
  expect((await me(other.token)).status).toBe(200);
  expect((await me(await tokenFor(other.here, { jti: 'next' }))).status).toBe(200);
  const { body } = await service.send('GET', '/api/v1/auth/sessions', { token: other.token });
  expect(body.sessions).toHaveLength(1);
});
