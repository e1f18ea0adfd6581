import { randomUUID } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { startTestService, type Answer } from '../../../test/harness/index.ts';
import { logIn, registerPerson, signIn } from '../../../test/harness/people.ts';
import { watchStatements } from '../../../test/harness/statements.ts';
import { connectAsOwner } from '../../../test/harness/wallets.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);

/** What a client can tell two refusals apart by: everything but the id of the request. */
const visible = ({ status, headers, body }: Answer) => {
  const { requestId, ...rest } = body;
  expect(requestId).toBe(headers.get('x-request-id'));
  const kept = [...headers].filter(([name]) => !['x-request-id', 'date'].includes(name));
  return { status, body: rest, headers: Object.fromEntries(kept) };
};

test('signing in gives a pair of tokens, the person, and a cookie for this host only', async () => {
  const person = await registerPerson(service);
  const answer = await logIn(service, person);
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({
    user: expect.objectContaining({ id: person.id, email: person.email, credits: 150 }),
    accessToken: expect.stringMatching(/^eyJ/),
    refreshToken: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
    expiresIn: 900,
    tokenType: 'Bearer',
    token: answer.body.accessToken,
  });
  expect(answer.headers.get('set-cookie')).toMatch(
    /^__Host-obol_session=[A-Za-z0-9_-]{43}; Max-Age=604800; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  );
});

test('with COOKIE_DOMAIN the cookie is shared with sibling subdomains', async () => {
  const shared = await startTestService({
    env: { COOKIE_DOMAIN: 'example.com', BASE_URL: 'https://id.example.com' },
  });
  const answer = await logIn(shared, await registerPerson(shared));
  const [pair, ...attributes] = answer.headers.get('set-cookie')!.split('; ');
  expect(pair).toMatch(/^__Secure-obol_session=[\w-]{43}$/);
  expect(attributes).toEqual(
    expect.arrayContaining(['Domain=example.com', 'Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax']),
  );
});

test('the claims of an access token are those of the contract', async () => {
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  const [header, claims] = accessToken
    .split('.')
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
  expect(header).toEqual({ alg: 'RS256', typ: 'at+jwt', kid: expect.any(String) });
  const issuedAt = service.clock.now().getTime() / 1000;
  expect(claims).toEqual({
    iss: service.ctx.config.baseUrl,
    sub: person.id,
    aud: service.ctx.config.baseUrl,
    iat: issuedAt,
    exp: issuedAt + 900,
    jti: expect.any(String),
    sid: expect.any(String),
    email: person.email,
    role: 'user',
    client_id: 'obol',
    scope: 'account',
    acr: 'urn:obol:password',
    amr: ['pwd'],
    auth_time: issuedAt,
  });
});

test('the address counts without regard to case and form', async () => {
  const person = await registerPerson(service);
  expect((await logIn(service, { ...person, email: person.email.toUpperCase() })).status).toBe(200);
});

test('an unknown address, a wrong password and an account without one answer alike', async () => {
  const person = await registerPerson(service);
  const passwordless = await registerPerson(service);
  await owner.query('delete from auth.passwords where user_id = $1', [passwordless.id]);
  const wrong = visible(await logIn(service, person, 'not the password'));
  expect(wrong).toMatchObject({ status: 401, body: { code: 'auth.invalid_credentials' } });
  expect(visible(await logIn(service, { ...person, email: `${randomUUID()}@example.com` }))).toEqual(wrong);
  expect(visible(await logIn(service, passwordless))).toEqual(wrong);
});

test('an unknown address costs the same hashes and statements as a wrong password', async () => {
  const person = await registerPerson(service);
  const verify = vi.spyOn(service.ctx.passwords, 'verify');
  const watch = watchStatements(service);
  const workOf = async (email: string) => {
    verify.mockClear();
    const { result, statements } = await watch.during(() =>
      logIn(service, { ...person, email }, 'not the password'),
    );
    expect(result.status).toBe(401);
    return { hashes: verify.mock.calls.length, statements };
  };
  const known = await workOf(person.email);
  expect(known.hashes).toBe(1);
  expect(known.statements).toContain('commit');
  expect(await workOf(`${randomUUID()}@example.com`)).toEqual(known);
  verify.mockRestore();
  watch.end();
});

/**
 * Without its hash an unknown address would take a tenth of the time, which a wide bound catches on a busy
 * machine too, in each of three measurements. See "Measuring the times" in the README.
 */
const tries = Number(process.env.OBOL_TIMING_TRIES ?? 30);
const toleranceShare = Number(process.env.OBOL_TIMING_TOLERANCE ?? 0.5);

const patience = { timeout: 120_000, retry: 2 };

test('an unknown address takes the time of a wrong password', patience, async () => {
  const person = await registerPerson(service);
  const timesMs: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] };
  const measure = async (kind: 'known' | 'unknown') => {
    const email = kind === 'known' ? person.email : `${randomUUID()}@example.com`;
    const startedAt = performance.now();
    await logIn(service, { ...person, email }, 'not the password');
    timesMs[kind].push(performance.now() - startedAt);
  };
  for (let round = 0; round < tries; round++) {
    // One after the other in turning order, so that what else the machine does falls on both.
    for (const kind of round % 2 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const)) {
      await measure(kind);
    }
  }
  const [known, unknown] = [trimmedMean(timesMs.known), trimmedMean(timesMs.unknown)];
  const differenceShare = Math.abs(known - unknown) / known;
  expect(differenceShare, `${known} ms known, ${unknown} ms unknown`).toBeLessThan(toleranceShare);
});

/** The mean without the quarter at either end, which is the machine's and not ours. */
function trimmedMean(values: number[]): number {
  const cut = Math.floor(values.length / 4);
  const kept = values.toSorted((a, b) => a - b).slice(cut, values.length - cut);
  return kept.reduce((sum, value) => sum + value, 0) / kept.length;
}

test('a deactivated account is named only to who knows its password', async () => {
  const person = await registerPerson(service);
  await owner.query('update auth.users set is_active = false where id = $1', [person.id]);
  expect(await logIn(service, person)).toMatchObject({
    status: 403,
    body: { code: 'auth.account_deactivated' },
  });
  expect(await logIn(service, person, 'not the password')).toMatchObject({
    status: 401,
    body: { code: 'auth.invalid_credentials' },
  });
});

test('a failed sign-in stands in the trail of the account, with its address', async () => {
  const person = await registerPerson(service);
  await logIn(service, person, 'not the password');
  const { accessToken } = await signIn(service, person);
  const { body } = await service.send('GET', '/api/v1/auth/security-events', { token: accessToken });
  const failed = body.events.find(({ type }: { type: string }) => type === 'login.failed');
  expect(failed).toMatchObject({ ipAddress: '127.0.0.1', details: { reason: 'invalid_credentials' } });
});

test('a sign-in whose password is replaced meanwhile opens no session', async () => {
  const person = await registerPerson(service);
  const { passwords } = service.ctx;
  const verify = passwords.verify.bind(passwords);
  const spy = vi.spyOn(passwords, 'verify').mockImplementationOnce(async (password, hash) => {
    const matches = await verify(password, hash);
    await owner.query('update auth.passwords set hash = $1 where user_id = $2', [
      await passwords.hash('another password'),
      person.id,
    ]);
    return matches;
  });
  expect((await logIn(service, person)).status).toBe(401);
  const { rows } = await owner.query('select id from auth.sessions where user_id = $1', [person.id]);
  expect(rows).toEqual([]);
  spy.mockRestore();
});

test.each([
  ['no body', undefined],
  ['no password', { email: 'a@b.example' }],
  ['a password that is a number', { email: 'a@b.example', password: 1 }],
  ['a device name with control characters', { email: 'a@b.example', password: 'x', deviceName: '\u001b[2J' }],
])('%s is malformed', async (_, body) => {
  const answer = await service.send('POST', '/api/v1/auth/login', { body });
  expect(answer.status).toBe(400);
});
