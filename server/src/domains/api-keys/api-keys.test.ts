import { expect, test, vi } from 'vitest';
import { registerApplication } from '../../../test/harness/applications.ts';
import { makeKey, ownKeys, verifyKey } from '../../../test/harness/api-keys.ts';
import { startTestService } from '../../../test/harness/index.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';
import { addWalletHolder, connectAsOwner } from '../../../test/harness/wallets.ts';
import { hintsOf, isApiKey, newApiKey } from '../../lib/api-key.ts';

// Rule 26: API keys have the prefix obol_sk_ and a checksum, are stored as a hash, shown once, with scopes
// within the owner's rights, expiry, a rate limit and a budget of their own, and are verified without a write
// on the hot path.

const service = await startTestService();
const owner = await connectAsOwner(service);
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const balanceBy = (headers: Record<string, string>, at = service) =>
  at.send('GET', '/api/v1/credits/balance', { headers });
const spend = { amount: 1, appId: 'chat', description: 'Answer' };

/** Everything that all tables hold, as text, bytes as base64 and hexadecimal. */
async function everything(): Promise<string> {
  const { rows: tables } = await owner.query(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname !~ '^(pg_|information)'`,
  );
  const texts = [];
  for (const { name } of tables) {
    const { rows } = await owner.query(
      `select coalesce(string_agg(t::text, E'\\n'), '') as text from ${name} t`,
    );
    texts.push(rows[0].text);
  }
  return texts.join('\n');
}

test('rule 26: a key has prefix and checksum, is shown once, and is stored as a hash', async () => {
  const holder = await addWalletHolder(service);
  const answer = await service.send('POST', ownKeys, {
    token: holder.token,
    body: { name: 'Nightly import' },
  });
  expect(answer).toMatchObject({
    status: 201,
    body: {
      name: 'Nightly import',
      key: expect.stringMatching(/^obol_sk_[0-9A-Za-z]{55}$/),
      scopes: ['profile', 'credits:read', 'credits:spend'],
      rateLimit: null,
      budget: null,
      expiresAt: null,
      lastUsedAt: null,
    },
  });
  const { key, ...shown } = answer.body;
  expect(isApiKey(key)).toBe(true);
  expect({ start: shown.start, lastFour: shown.lastFour }).toEqual(hintsOf(key));
  const list = await service.send('GET', ownKeys, { token: holder.token });
  expect(list.body).toEqual({ apiKeys: [shown] });
  const stored = await everything();
  expect(stored).toContain(shown.start);
  expect(stored).not.toContain(key.slice(8, -4));
});

test('rule 26: two keys are never the same, and each has 256 random bits at least', () => {
  const keys = new Set(Array.from({ length: 1000 }, () => newApiKey(service.ctx.random)));
  expect(keys.size).toBe(1000);
  expect(Math.log2(62 ** 49)).toBeGreaterThan(256);
  for (const byte of [0, 255]) {
    expect(isApiKey(newApiKey({ bytes: (length) => Buffer.alloc(length, byte) }))).toBe(true);
  }
});

test('rule 26: a typing error is found by the checksum, without asking the database', async () => {
  const { key } = await makeKey(service, (await addWalletHolder(service)).token);
  const last = key.at(-1) === 'a' ? 'b' : 'a';
  const swapped = `${key.slice(0, 20)}${key[21]}${key[20]}${key.slice(22)}`;
  const wrong = [`${key.slice(0, -1)}${last}`, key.slice(0, -1), `${key}a`, key.toLowerCase(), 'obol_sk_'];
  if (swapped !== key) wrong.push(swapped);
  const calls = vi.spyOn(service.ctx.db, 'call');
  for (const one of wrong) {
    expect(await balanceBy(bearer(one))).toMatchObject({
      status: 401,
      body: { code: 'auth.key_invalid', reason: 'malformed' },
    });
    expect((await verifyKey(service, one)).body).toMatchObject({ valid: false, code: 'malformed' });
  }
  expect(calls).not.toHaveBeenCalled();
  vi.restoreAllMocks();
});

test('rule 26: it opens by either header what its scopes name, as the person, and nothing else', async () => {
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  const { key } = await makeKey(service, accessToken, { scopes: ['credits:read'] });
  for (const headers of [bearer(key), { 'x-api-key': key }]) {
    expect(await balanceBy(headers)).toMatchObject({ status: 200, body: { available: 150 } });
    expect(await service.send('POST', '/api/v1/credits/use', { headers, body: spend })).toMatchObject({
      status: 403,
      body: { code: 'auth.insufficient_scope' },
    });
    expect((await service.send('GET', '/api/v1/users/me', { headers })).status).toBe(403);
  }
  const all = await makeKey(service, accessToken);
  const headers = bearer(all.key);
  expect((await service.send('GET', '/api/v1/users/me', { headers })).body).toMatchObject({ id: person.id });
  const used = await service.send('POST', '/api/v1/credits/use', { headers, body: spend });
  expect(used).toMatchObject({ status: 200, body: { newBalance: { available: 149 } } });
});

test('rule 26: no key opens what would give it more: keys, passwords, sessions, mandates, administration', async () => {
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  const { id, key } = await makeKey(service, accessToken);
  await owner.query(`update auth.users set role = 'admin' where id = $1`, [person.id]);
  const grant = { userId: person.id, amount: 1000, kind: 'paid', source: 'gift', description: 'For me' };
  const calls: [string, string, unknown?][] = [
    ['GET', ownKeys],
    ['POST', ownKeys, { name: 'More' }],
    ['POST', `${ownKeys}/${id}/rotate`, {}],
    ['PATCH', `${ownKeys}/${id}`, { name: 'Mine' }],
    ['DELETE', `${ownKeys}/${id}`],
    ['GET', '/api/v1/auth/sessions'],
    ['PUT', '/api/v1/users/me', { name: 'Somebody' }],
    [
      'POST',
      '/api/v1/auth/change-password',
      { currentPassword: person.password, newPassword: 'another lantern 7' },
    ],
    ['POST', '/api/v1/credits/mandates', { appId: 'chat', allowance: 1, period: 'day' }],
    ['POST', '/api/v1/credits/grants', grant],
    ['GET', '/api/v1/applications'],
    [
      'POST',
      '/api/v1/applications',
      { name: 'Notes', redirectUri: 'https://notes.example.com/', roles: ['editor'] },
    ],
  ];
  for (const [method, path, body] of calls) {
    const answer = await service.send(method, path, { headers: bearer(key), ...(body ? { body } : {}) });
    expect([path, answer.status, answer.body.code]).toEqual([path, 403, 'auth.insufficient_scope']);
  }
});

test('rule 26: scopes beyond what a key of that owner may open are refused', async () => {
  const { token } = await addWalletHolder(service);
  const app = await registerApplication(service, token);
  const make = (path: string, scopes: unknown) =>
    service.send('POST', path, { token, body: { name: 'More', scopes } });
  for (const scopes of [
    ['admin'],
    ['account'],
    ['api-keys:verify'],
    ['credits:refund'],
    [],
    ['profile', 'profile'],
    'profile',
  ]) {
    expect(await make(ownKeys, scopes)).toMatchObject({ status: 400, body: { code: 'request.invalid' } });
  }
  for (const scopes of [['profile'], ['credits:read'], ['openid']]) {
    expect((await make(`/api/v1/applications/${app.id}/api-keys`, scopes)).status).toBe(400);
  }
});

test('a key in the address is refused, and so are two credentials at once', async () => {
  const { token } = await addWalletHolder(service);
  const { key } = await makeKey(service, token);
  for (const query of [`?api_key=${key}`, `?access_token=${key}`, `?limit=1&x=${key}`]) {
    const answer = await service.send('GET', `/api/v1/credits/transactions${query}`, { token });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: '/query' }] } });
  }
  expect(await balanceBy({ 'x-api-key': key, authorization: `Bearer ${token}` })).toMatchObject({
    status: 400,
    body: { errors: [{ path: '/headers/x-api-key' }] },
  });
});

test('what is malformed is refused', async () => {
  const { token } = await addWalletHolder(service);
  const bodies = [
    {},
    { name: '' },
    { name: 7 },
    { name: 'a'.repeat(101) },
    { name: 'a\nb' },
    { name: 'A', rateLimit: 0 },
    { name: 'A', rateLimit: 1.5 },
    { name: 'A', budget: {} },
    { name: 'A', budget: { allowance: -1 } },
    { name: 'A', budget: { allowance: 2 ** 53 } },
    { name: 'A', budget: { allowance: 1, period: 'year' } },
    { name: 'A', budget: { allowance: 1, kinds: [] } },
    { name: 'A', budget: { allowance: 1, maxPerSpend: 0 } },
  ];
  for (const body of bodies) {
    expect((await service.send('POST', ownKeys, { token, body })).status).toBe(400);
  }
  const { id } = await makeKey(service, token);
  for (const body of [{}, { name: null }, { budget: { allowance: 0 } }]) {
    expect((await service.send('PATCH', `${ownKeys}/${id}`, { token, body })).status).toBe(400);
  }
  expect(
    (await service.send('POST', `${ownKeys}/${id}/rotate`, { token, body: { overlapSeconds: -1 } })).status,
  ).toBe(400);
  for (const bad of ['7', 'null', `${id}x`]) {
    expect((await service.send('DELETE', `${ownKeys}/${bad}`, { token })).status).toBe(400);
  }
});
