import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { addAdministrator, readOwn, spend } from '../../../../test/harness/movements.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
const admin = await addAdministrator(service);

let holder: WalletHolder;
beforeEach(async () => {
  holder = await addWalletHolder(service);
});

const setStatus = (status: string) =>
  owner.query('update credits.balances set status = $2 where wallet_id = $1', [holder.userId, status]);
const statusOf = async () => (await readOwn(service, holder, 'balance')).status as string;
const thaw = (
  body: unknown = { reason: 'It was their own card' },
  asker: Pick<WalletHolder, 'token'> = admin,
  userId = holder.userId,
) => service.send('POST', `/api/v1/users/${userId}/credits/thaw`, { token: asker.token, body });

test('a wallet that was frozen takes part again, and the trail says who let it and why', async () => {
  await setStatus('frozen');
  expect(await thaw()).toMatchObject({ status: 200, body: { userId: holder.userId, status: 'active' } });
  expect(await statusOf()).toBe('active');
  await spend(service, holder, 1);
  const { rows } = await owner.query(
    `select actor_id, reason from audit.events where action = 'credits.wallet_thawed' and target_id = $1`,
    [holder.userId],
  );
  expect(rows).toEqual([{ actor_id: admin.userId, reason: 'It was their own card' }]);
});

describe('is refused', () => {
  test.each(['active', 'closed'])('of a wallet that is %s', async (status) => {
    await setStatus(status);
    expect(await thaw()).toMatchObject({ status: 409, body: { code: 'credits.wallet_not_frozen' } });
    expect(await statusOf()).toBe(status);
  });

  test('of somebody who is not there', async () => {
    const answer = await thaw({ reason: 'Who?' }, admin, randomUUID());
    expect(answer).toMatchObject({ status: 404, body: { code: 'request.not_found' } });
    expect((await thaw({ reason: 'Who?' }, admin, 'nobody')).status).toBe(400);
  });

  test('to everybody but administrators, the owner of the wallet too', async () => {
    await setStatus('frozen');
    expect(await thaw(undefined, holder)).toMatchObject({
      status: 403,
      body: { code: 'auth.admin_required' },
    });
    const path = `/api/v1/users/${holder.userId}/credits/thaw`;
    expect((await service.send('POST', path, { body: { reason: 'Mine' } })).status).toBe(401);
    expect(await statusOf()).toBe('frozen');
  });

  test.each([
    {},
    { reason: '' },
    { reason: 7 },
    { reason: null },
    { reason: ['why'] },
    { reason: 'a\nb' },
    { reason: 'x'.repeat(501) },
    [],
  ])('with %j', async (body) => {
    await setStatus('frozen');
    expect(await thaw(body)).toMatchObject({ status: 400, body: { code: 'request.invalid' } });
    expect(await statusOf()).toBe('frozen');
  });
});
