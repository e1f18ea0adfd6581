import { expect, test } from 'vitest';
import { registerApplication } from '../../../test/harness/applications.ts';
import { makeKey, ownKeys, verifyKey } from '../../../test/harness/api-keys.ts';
import { startTestService } from '../../../test/harness/index.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';
import { addWalletHolder, connectAsOwner } from '../../../test/harness/wallets.ts';
import { hintsOf, isApiKey, newApiKey } from '../../lib/api-key.ts';

// Rule 26: API keys have the prefix obol_sk_ and a checksum, are stored as a hash, shown once, with scopes within the
// owner's rights, expiry, a rate limit and a budget of their own, and are verified without a write on the hot path.

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
  const bytes = (byte: number) => ({ bytes: (length: number) => Buffer.alloc(length, byte) });
  for (const byte of [0, 255]) expect(isApiKey(newApiKey(bytes(byte)))).toBe(true);
});

test('rule 26: a typing error is found by the checksum, without asking the database', async () => {
  const { key } = await makeKey(service, (await addWalletHolder(service)).token);
  const last = key.at(-1) === 'a' ? 'b' : 'a';
  const swapped = `${key.slice(0, 20)}${key[21]}${key[20]}${key.slice(22)}`;
  const wrong = [`${key.slice(0, -1)}${last}`, key.slice(0, -1), `${key}a`, key.toLowerCase(), 'obol_sk_'];
  if (swapped !== key) wrong.push(swapped);
  const { db } = service.ctx;
  const call = db.call;
  let calls = 0;
  db.call = (text, values) => {
    calls += 1;
    return call(text, values);
  };
  for (const one of wrong) {
    expect(await balanceBy(bearer(one))).toMatchObject({
      status: 401,
      body: { code: 'auth.key_invalid', reason: 'malformed' },
    });
    expect((await verifyKey(service, one)).body).toMatchObject({ valid: false, code: 'malformed' });
  }
  db.call = call;
  expect(calls).toBe(0);
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

test('rule 26: a key ends when it expires, to the millisecond', async () => {
  const { token } = await addWalletHolder(service);
  const expiresAt = new Date(service.clock.now().getTime() + 60_000).toISOString();
  const { key } = await makeKey(service, token, { expiresAt });
  service.clock.advance({ ms: 59_999 });
  expect((await balanceBy(bearer(key))).status).toBe(200);
  expect((await verifyKey(service, key)).body).toMatchObject({ valid: true, code: 'valid', expiresAt });
  service.clock.advance({ ms: 1 });
  expect(await balanceBy(bearer(key))).toMatchObject({ status: 401, body: { code: 'auth.session_ended' } });
  expect((await verifyKey(service, key)).body).toMatchObject({ valid: false, code: 'expired', userId: null });
  for (const past of [expiresAt, '1970-01-01T00:00:00Z', 'tomorrow', 7]) {
    const answer = await service.send('POST', ownKeys, { token, body: { name: 'Late', expiresAt: past } });
    expect(answer).toMatchObject({ status: 400, body: { code: 'request.invalid' } });
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

test('rotation: both keys count until the overlap ends, with the same budget; 0 ends the old one now', async () => {
  const { token } = await addWalletHolder(service);
  const first = await makeKey(service, token, { budget: { allowance: 10 } });
  const rotate = (overlapSeconds?: number) =>
    service.send('POST', `${ownKeys}/${first.id}/rotate`, {
      token,
      body: overlapSeconds === undefined ? {} : { overlapSeconds },
    });
  const { status, body: second } = await rotate(60);
  expect(status).toBe(200);
  expect(second).toMatchObject({ id: first.id, name: 'Nightly import', start: second.key.slice(0, 12) });
  expect(second.previousExpireAt).toBe(new Date(service.clock.now().getTime() + 60_000).toISOString());
  for (const key of [first.key, second.key]) {
    const charge = { ...spend, amount: 5 };
    expect((await verifyKey(service, key, { charge })).body).toMatchObject({ valid: true, keyId: first.id });
  }
  expect((await verifyKey(service, second.key, { charge: spend })).body).toMatchObject({
    valid: false,
    code: 'mandate.exceeded',
  });
  service.clock.advance({ seconds: 60 });
  expect((await verifyKey(service, first.key)).body).toMatchObject({ valid: false, code: 'expired' });
  expect((await balanceBy(bearer(first.key))).status).toBe(401);
  const third = (await rotate(0)).body.key;
  expect((await verifyKey(service, second.key)).body.code).toBe('expired');
  expect((await verifyKey(service, third)).body.code).toBe('valid');
});

test('however often a key is rotated, four older ones count at most', async () => {
  const { token } = await addWalletHolder(service);
  const { id, key } = await makeKey(service, token);
  const keys = [key];
  for (let count = 0; count < 6; count++) {
    service.clock.advance({ ms: 1 });
    keys.push((await service.send('POST', `${ownKeys}/${id}/rotate`, { token, body: {} })).body.key);
  }
  const codes = await Promise.all(keys.map(async (one) => (await verifyKey(service, one)).body.code));
  expect(codes).toEqual(['unknown', 'unknown', 'valid', 'valid', 'valid', 'valid', 'valid']);
});

test('to anybody else a key answers like one that does not exist', async () => {
  const [one, other] = [await addWalletHolder(service), await addWalletHolder(service)];
  const app = await registerApplication(service, one.token);
  const own = await makeKey(service, one.token);
  const apps = await makeKey(service, one.token, {}, app.id);
  const unknown = '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d99';
  const ofApp = `/api/v1/applications/${app.id}/api-keys`;
  const tries = (token: string, base: string, id: string) =>
    Promise.all([
      service.send('PATCH', `${base}/${id}`, { token, body: { name: 'Mine' } }),
      service.send('POST', `${base}/${id}/rotate`, { token, body: {} }),
      service.send('DELETE', `${base}/${id}`, { token }),
    ]);
  const shape = (answers: Awaited<ReturnType<typeof tries>>) =>
    answers.map(({ status, body: { requestId, instance, ...body } }) => [status, body]);
  const absent = shape(await tries(other.token, ownKeys, unknown));
  expect(absent.map(([status]) => status)).toEqual([404, 404, 404]);
  expect(shape(await tries(other.token, ownKeys, own.id))).toEqual(absent);
  expect(shape(await tries(one.token, ownKeys, apps.id))).toEqual(absent);
  expect(shape(await tries(one.token, ofApp, own.id))).toEqual(absent);
  expect(shape(await tries(other.token, ofApp, apps.id))).toEqual(absent);
  for (const method of ['GET', 'POST']) {
    const body = method === 'POST' ? { body: { name: 'Mine' } } : {};
    expect((await service.send(method, ofApp, { token: other.token, ...body })).status).toBe(404);
  }
  expect((await verifyKey(service, own.key)).body.valid).toBe(true);
});

test('whoever deactivates an account, an application or a key ends what the key opens, at once', async () => {
  const [holder, admin] = [await addWalletHolder(service), await addWalletHolder(service)];
  const app = await registerApplication(service, admin.token);
  const own = await makeKey(service, holder.token);
  const apps = await makeKey(service, admin.token, {}, app.id);
  const refund = () =>
    service.send('POST', '/api/v1/credits/refunds', {
      headers: bearer(apps.key),
      body: { transactionId: '019ca9f2-7a00-7c3e-8b1d-2f6a4c9e0d99', reason: 'Cut off' },
    });
  expect((await balanceBy(bearer(own.key))).status).toBe(200);
  expect((await refund()).status).toBe(404);
  const setActive = (isActive: boolean) =>
    Promise.all([
      owner.query('update auth.users set is_active = $1 where id = $2', [isActive, holder.userId]),
      owner.query('update apps.applications set is_active = $1 where id = $2', [isActive, app.id]),
    ]);
  await setActive(false);
  expect((await balanceBy(bearer(own.key))).status).toBe(401);
  expect((await refund()).status).toBe(401);
  for (const { key } of [own, apps]) {
    for (const charge of [undefined, spend]) {
      const asked = await verifyKey(service, key, charge ? { charge } : {});
      expect(asked.body).toMatchObject({ valid: false, code: 'owner_inactive', userId: null });
    }
  }
  await setActive(true);
  expect((await balanceBy(bearer(own.key))).status).toBe(200);
  expect((await service.send('DELETE', `${ownKeys}/${own.id}`, { token: holder.token })).status).toBe(200);
  expect((await balanceBy(bearer(own.key))).status).toBe(401);
  expect((await verifyKey(service, own.key)).body).toMatchObject({ valid: false, code: 'revoked' });
  expect((await service.send('DELETE', `${ownKeys}/${own.id}`, { token: holder.token })).status).toBe(404);
  expect((await service.send('GET', ownKeys, { token: holder.token })).body).toEqual({ apiKeys: [] });
});

test('when its owner is erased, a key is unknown', async () => {
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  const { key } = await makeKey(service, accessToken, { budget: { allowance: 10 } });
  const charge = { ...spend, idempotencyKey: 'before' };
  expect((await verifyKey(service, key, { charge })).body.valid).toBe(true);
  await owner.query('delete from auth.users where id = $1', [person.id]);
  expect((await verifyKey(service, key)).body).toMatchObject({ valid: false, code: 'unknown' });
  expect((await verifyKey(service, key, { charge })).body).toMatchObject({ valid: false, code: 'unknown' });
  expect((await balanceBy(bearer(key))).status).toBe(401);
});

test('a hundred keys are enough; one that is revoked makes room', async () => {
  const { token } = await addWalletHolder(service);
  const ids = [];
  for (let count = 0; count < 100; count++) ids.push((await makeKey(service, token)).id);
  const more = () => service.send('POST', ownKeys, { token, body: { name: 'One more' } });
  expect(await more()).toMatchObject({ status: 409, body: { code: 'api_keys.too_many', max: 100 } });
  await service.send('DELETE', `${ownKeys}/${ids[0]}`, { token });
  expect((await more()).status).toBe(201);
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

test('making, changing, rotating and revoking stand in the trail, and making one is told by mail', async () => {
  const person = await registerPerson(service);
  const { accessToken: token } = await signIn(service, person);
  const app = await registerApplication(service, token);
  const paths = [ownKeys, `/api/v1/applications/${app.id}/api-keys`];
  for (const path of paths) {
    const { body } = await service.send('POST', path, { token, body: { name: 'Nightly import' } });
    await service.send('PATCH', `${path}/${body.id}`, { token, body: { name: 'Weekly import' } });
    await service.send('POST', `${path}/${body.id}/rotate`, { token, body: {} });
    await service.send('DELETE', `${path}/${body.id}`, { token });
  }
  const acts = ['created', 'changed', 'rotated', 'revoked'];
  const own = await service.send('GET', '/api/v1/auth/security-events', { token });
  const types = own.body.events
    .map(({ type }: { type: string }) => type)
    .filter((type: string) => /key/.test(type));
  expect(types.toSorted()).toEqual(acts.map((act) => `api_key.${act}`).toSorted());
  const { rows } = await owner.query(
    `select action, actor_id, details::text from audit.events where target_id = $1 and action like '%api_key%'`,
    [app.id],
  );
  expect(rows.map(({ action }) => action).toSorted()).toEqual(
    acts.map((act) => `application.api_key_${act}`).toSorted(),
  );
  for (const row of rows) expect(row).toMatchObject({ actor_id: person.id });
  const mails = (await service.mails(person.email)).filter(({ subject }) => subject === 'A new Obol API key');
  expect(mails).toHaveLength(2);
  for (const { text } of mails) {
    expect(text).toContain('Nightly import');
    expect(text).not.toContain('obol_sk_');
  }
  expect(mails.some(({ text }) => text.includes('Notes'))).toBe(true);
});

test('when a key was used last is written down beside the requests, once a minute for all of them', async () => {
  const { token } = await addWalletHolder(service);
  const { id, key } = await makeKey(service, token);
  const lastUsed = async () => (await service.send('GET', ownKeys, { token })).body.apiKeys[0].lastUsedAt;
  service.clock.advance({ minutes: 1 });
  const usedAt = service.clock.now().toISOString();
  await verifyKey(service, key);
  await expect.poll(lastUsed).toBe(usedAt);
  service.clock.advance({ seconds: 30 });
  await verifyKey(service, key);
  service.clock.advance({ seconds: 30 });
  await balanceBy(bearer(key));
  await expect.poll(lastUsed).toBe(service.clock.now().toISOString());
  expect(id).toBeTruthy();
});
