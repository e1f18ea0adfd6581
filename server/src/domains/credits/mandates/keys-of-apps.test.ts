import { afterEach, beforeEach, expect, test } from 'vitest';
import { registerApplication } from '../../../../test/harness/applications.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { mandateCalls } from '../../../../test/harness/mandates.ts';
import { addAdministrator, expectSound, post } from '../../../../test/harness/movements.ts';
import { addWalletHolder, type WalletHolder } from '../../../../test/harness/wallets.ts';

const service = await startTestService();
const app = await registerApplication(service, (await addAdministrator(service)).token);
let holder: WalletHolder;
const calls = mandateCalls(service, app, () => holder);
const idempotencyKey = 'message-42';

beforeEach(async () => {
  holder = await addWalletHolder(service);
  await calls.given({ allowance: 100 });
});
afterEach(() => expectSound(service));

const own = (path: string, amount: number, more: Record<string, unknown> = {}) =>
  post(service, holder, path, { amount, appId: app.clientId, description: 'x', idempotencyKey, ...more });

test('a person uses up no key of an application, by whatever they do under its name', async () => {
  expect((await own('use', 1_000_000)).status).toBe(402);
  const spent = await calls.use({ idempotencyKey });
  expect(spent.status).toBe(200);
  expect(spent.headers.has('idempotency-replayed')).toBe(false);
  expect((await own('use', 5, { idempotencyKey: 'refund-1' })).status).toBe(200);
  const refund = { transactionId: spent.body.transaction.id, amount: 3, reason: 'x' };
  expect((await calls.asApp('/refunds', { ...refund, idempotencyKey: 'refund-1' })).status).toBe(200);
  expect((await own('holds', 5, { idempotencyKey: 'hold-1' })).status).toBe(201);
  expect((await calls.hold({ idempotencyKey: 'hold-1' })).status).toBe(201);
  expect(await calls.balance()).toMatchObject({ available: 150 - 10 + 3 - 5 - 5 - 10 });
});

test('an application uses up none of theirs; each gets their own first answer again', async () => {
  const theirs = await calls.use({ idempotencyKey });
  const mine = await own('use', 20);
  expect([theirs.status, mine.status]).toEqual([200, 200]);
  const [theirsAgain, mineAgain] = [await calls.use({ idempotencyKey }), await own('use', 20)];
  for (const [first, again] of [
    [theirs, theirsAgain],
    [mine, mineAgain],
  ] as const) {
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(again.body.transaction.id).toBe(first.body.transaction.id);
  }
  expect(await calls.balance()).toMatchObject({ available: 120 });
});
