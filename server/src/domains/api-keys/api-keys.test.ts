import { expect, test } from 'vitest';
import { makeKey, ownKeys, verifyKey } from '../../../test/harness/api-keys.ts';
import { startTestService } from '../../../test/harness/index.ts';
import { addWalletHolder, connectAsOwner } from '../../../test/harness/wallets.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';
import { newApiKey } from '../../lib/api-key.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);

test('a key has the prefix and a checksum, is shown once, and stands nowhere in the database', async () => {
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
  expect(shown.start).toBe(key.slice(0, 12));
  expect(shown.lastFour).toBe(key.slice(-4));
  const list = await service.send('GET', ownKeys, { token: holder.token });
  expect(list.body).toEqual({ apiKeys: [shown] });
  expect(JSON.stringify(list.body)).not.toContain(key);
});

test('it opens by either header what its scopes name, as the person, and nothing else', async () => {
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  const { key } = await makeKey(service, accessToken, { scopes: ['credits:read'] });
  for (const headers of [{ authorization: `Bearer ${key}` }, { 'x-api-key': key }]) {
    const balance = await service.send('GET', '/api/v1/credits/balance', { headers });
    expect(balance).toMatchObject({ status: 200, body: { available: 150 } });
    const spend = { amount: 1, appId: 'chat', description: 'Answer' };
    expect(await service.send('POST', '/api/v1/credits/use', { headers, body: spend })).toMatchObject({
      status: 403,
      body: { code: 'auth.insufficient_scope' },
    });
    expect((await service.send('GET', '/api/v1/users/me', { headers })).status).toBe(403);
  }
});
