import { expect, test } from 'vitest';
import { startTestService } from './harness/index.ts';
import { addAdministrator } from './harness/movements.ts';
import { addWalletHolder, type WalletHolder } from './harness/wallets.ts';

// What a request holds beside the members of its schema goes no further: it cannot stand for something that
// the address says, or that the service decides.

const service = await startTestService();
const admin = await addAdministrator(service);
const isIn = async ({ token }: WalletHolder) =>
  (await service.send('GET', '/api/v1/users/me', { token })).status === 200;

test('the address says who is meant, and not the body or the query', async () => {
  const [mallory, victim] = [await addWalletHolder(service), await addWalletHolder(service)];
  const path = `/api/v1/users/${mallory.userId}`;
  for (const userId of [victim.userId, 5]) {
    const body = { reason: 'Spam', userId };
    expect((await service.send('POST', `${path}/ban`, { token: admin.token, body })).status).toBe(200);
  }
  expect([await isIn(mallory), await isIn(victim)]).toEqual([false, true]);
  const { status } = await service.send('DELETE', `${path}?userId=zz`, { token: admin.token });
  expect(status).toBeLessThan(300);
});

test('a key of one’s own is never one of an application', async () => {
  const { token } = await addWalletHolder(service);
  for (const applicationId of [true, 'x', crypto.randomUUID()]) {
    const own = '/api/v1/users/api-keys';
    const made = await service.send('POST', own, { token, body: { name: 'Mine', applicationId } });
    expect(made.status).toBe(201);
    const change = { token, body: { name: 'Still mine', applicationId } };
    expect((await service.send('PATCH', `${own}/${made.body.id}`, change)).status).toBe(200);
    const rotated = await service.send('POST', `${own}/${made.body.id}/rotate`, {
      token,
      body: { applicationId },
    });
    expect(rotated.status).toBeLessThan(300);
  }
});
