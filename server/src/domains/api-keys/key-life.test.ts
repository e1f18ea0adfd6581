import { expect, test } from 'vitest';
import { registerApplication } from '../../../test/harness/applications.ts';
import { makeKey, ownKeys, verifyKey } from '../../../test/harness/api-keys.ts';
import { startTestService } from '../../../test/harness/index.ts';
import { untilSomebodyWaits } from '../../../test/harness/locks.ts';
import { addAdministrator } from '../../../test/harness/movements.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';
import { addWalletHolder, connectAsOwner } from '../../../test/harness/wallets.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const balanceBy = (headers: Record<string, string>, at = service) =>
  at.send('GET', '/api/v1/credits/balance', { headers });
const spend = { amount: 1, appId: 'chat', description: 'Answer' };

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

test('a key that is asked for while the account is given to its mailbox is not made', async () => {
  const person = await registerPerson(service);
  const { accessToken: token } = await signIn(service, person);
  await owner.query('begin');
  await owner.query('select from auth.users where id = $1 for no key update', [person.id]);
  const asked = service.send('POST', ownKeys, { token, body: { name: 'Late' } });
  await untilSomebodyWaits(owner);
  await owner.query('update auth.sessions set revoked_at = $2 where user_id = $1', [
    person.id,
    service.clock.now(),
  ]);
  await owner.query('commit');
  expect(await asked).toMatchObject({ status: 401, body: { code: 'auth.session_ended' } });
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
    answers.map(({ status, body: { requestId: _id, instance: _path, ...body } }) => [status, body]);
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
  const [person, admin] = [await registerPerson(service), await addWalletHolder(service)];
  const holder = { userId: person.id, token: (await signIn(service, person)).accessToken };
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
  for (const [{ key }, code] of [
    [own, 'revoked'],
    [apps, 'owner_inactive'],
  ] as const) {
    for (const charge of [undefined, spend]) {
      const asked = await verifyKey(service, key, charge ? { charge } : {});
      expect(asked.body).toMatchObject({ valid: false, code, userId: null });
    }
  }
  await setActive(true);
  // What a person had ended with the account; an application is only switched off and on.
  expect((await refund()).status).toBe(404);
  expect((await balanceBy(bearer(own.key))).status).toBe(401);
  expect((await verifyKey(service, own.key)).body).toMatchObject({ valid: false, code: 'revoked' });
  const { accessToken: token } = await signIn(service, person);
  expect((await service.send('GET', ownKeys, { token })).body).toEqual({ apiKeys: [] });
});

test('of charges while the owner is deactivated each comes before or after, and nobody waits for another', async () => {
  const [{ userId, token }, admin] = [await addWalletHolder(service), await addAdministrator(service)];
  const { key } = await makeKey(service, token, { budget: { allowance: 100 } });
  const charge = () => verifyKey(service, key, { charge: spend });
  const [ended, ...charged] = await Promise.all([
    service.send('DELETE', `/api/v1/users/${userId}`, { token: admin.token }),
    ...Array.from({ length: 20 }, charge),
  ]);
  for (const { status } of [ended, ...charged]) expect(status).toBe(200);
  const spent = charged.filter(({ body }) => body.valid).length;
  const { rows } = await owner.query(
    'select total_spent::int as spent from credits.balances where wallet_id = $1',
    [userId],
  );
  expect(rows).toEqual([{ spent }]);
  expect((await charge()).body).toMatchObject({ valid: false, code: 'revoked' });
});

test('whoever revokes a key ends it, once', async () => {
  const { token } = await addWalletHolder(service);
  const { id, key } = await makeKey(service, token);
  expect((await service.send('DELETE', `${ownKeys}/${id}`, { token })).status).toBe(200);
  expect((await balanceBy(bearer(key))).status).toBe(401);
  expect((await verifyKey(service, key)).body).toMatchObject({ valid: false, code: 'revoked' });
  expect((await service.send('DELETE', `${ownKeys}/${id}`, { token })).status).toBe(404);
  expect((await service.send('GET', ownKeys, { token })).body).toEqual({ apiKeys: [] });
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
  expect(rows.map(({ action }): string => action).toSorted()).toEqual(
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
