import { expect, test, vi } from 'vitest';
import { registerApplication } from '../../../../test/harness/applications.ts';
import { makeKey, ownKeys, verifyKey } from '../../../../test/harness/api-keys.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { addWalletHolder } from '../../../../test/harness/wallets.ts';

const service = await startTestService();
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const spend = (more: Record<string, unknown> = {}) => ({
  amount: 1,
  appId: 'chat',
  description: 'Answer',
  ...more,
});

test('verifications that come together are one call, each with its own answer', async () => {
  const holders = await Promise.all(Array.from({ length: 8 }, () => addWalletHolder(service)));
  const keys = await Promise.all(holders.map(({ token }) => makeKey(service, token)));
  const revoked = keys[3];
  await service.send('DELETE', `${ownKeys}/${revoked?.id}`, { token: holders[3]?.token ?? '' });
  const spy = vi.spyOn(service.ctx.db, 'call');
  const answers = await Promise.all(
    Array.from({ length: 64 }, (_, index) => verifyKey(service, keys[index % 8]?.key ?? '')),
  );
  const calls = spy.mock.calls.filter(([text]) => text.includes('verify_api_keys'));
  vi.restoreAllMocks();
  expect(calls.length).toBeLessThan(64);
  for (const [index, { body }] of answers.entries()) {
    const expected =
      index % 8 === 3
        ? { valid: false, code: 'revoked', userId: null }
        : { valid: true, code: 'valid', userId: holders[index % 8]?.userId };
    expect(body).toMatchObject(expected);
  }
});

test('who may verify: the key itself, an application, a key of an application with that scope; nobody else', async () => {
  const [holder, admin] = [await addWalletHolder(service), await addWalletHolder(service)];
  const app = await registerApplication(service, admin.token);
  const { key } = await makeKey(service, holder.token);
  const apps = await makeKey(service, admin.token, { scopes: ['api-keys:verify'] }, app.id);
  const narrow = await makeKey(service, admin.token, { scopes: ['credits:spend'] }, app.id);
  const others = await makeKey(service, admin.token);
  for (const headers of [bearer(key), { 'x-api-key': key }, app.headers, bearer(apps.key)]) {
    expect(await verifyKey(service, key, { headers })).toMatchObject({
      status: 200,
      body: { valid: true, code: 'valid', userId: holder.userId, applicationId: null },
    });
  }
  expect((await verifyKey(service, apps.key, { headers: app.headers })).body).toMatchObject({
    valid: true,
    userId: null,
    applicationId: app.id,
    scopes: ['api-keys:verify'],
  });
  const refused: [Record<string, string>, number, string][] = [
    [{}, 401, 'auth.application_invalid'],
    [bearer(holder.token), 401, 'auth.application_invalid'],
    [bearer(others.key), 403, 'auth.insufficient_scope'],
    [bearer(narrow.key), 403, 'auth.insufficient_scope'],
    [{ ...app.headers, 'x-api-key': key }, 400, 'request.invalid'],
  ];
  for (const [headers, status, code] of refused) {
    expect(await verifyKey(service, key, { headers })).toMatchObject({ status, body: { code } });
  }
  await service.send('DELETE', `/api/v1/applications/${app.id}`, { token: admin.token });
  for (const charge of [undefined, spend({ appId: app.clientId })]) {
    for (const headers of [app.headers, bearer(apps.key)]) {
      const answer = await verifyKey(service, key, { headers, ...(charge ? { charge } : {}) });
      expect(answer).toMatchObject({ status: 401, body: { code: 'auth.application_invalid' } });
    }
  }
});

test('a key of an application is no client secret: it opens no token endpoint', async () => {
  const admin = await addWalletHolder(service);
  const app = await registerApplication(service, admin.token, { grantTypes: ['client_credentials'] });
  const { key } = await makeKey(service, admin.token, {}, app.id);
  const pair = Buffer.from(`${encodeURIComponent(app.clientId)}:${key}`).toString('base64');
  const answer = await fetch(`${service.url}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${pair}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  expect(answer.status).toBe(401);
});

test('what is malformed is refused, whatever the key is', async () => {
  const { token } = await addWalletHolder(service);
  const { key } = await makeKey(service, token);
  const bodies = [
    {},
    { key: 7 },
    { key: null },
    { key: 'a'.repeat(1001) },
    { key, charge: {} },
    { key, charge: spend({ amount: 0 }) },
    { key, charge: spend({ amount: 1.5 }) },
    { key, charge: spend({ amount: 2 ** 53 }) },
    { key, charge: spend({ amount: '5' }) },
    { key, charge: spend({ appId: '' }) },
    { key, charge: spend({ idempotencyKey: '' }) },
    { key, charge: spend({ onBehalfOf: 'me' }) },
    { key, charge: spend({ metadata: 'much' }) },
  ];
  for (const body of bodies) {
    const answer = await service.send('POST', '/api/v1/api-keys/verify', {
      headers: { 'x-api-key': key },
      body,
    });
    expect([body, answer.status]).toEqual([body, 400]);
  }
});
