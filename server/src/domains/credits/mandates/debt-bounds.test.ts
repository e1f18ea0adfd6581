import { afterEach, beforeEach, expect, test } from 'vitest';
import { registerApplication } from '../../../../test/harness/applications.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { mandateCalls } from '../../../../test/harness/mandates.ts';
import { addAdministrator, expectSound, post, spend } from '../../../../test/harness/movements.ts';
import {
  addLot,
  addWalletHolder,
  connectAsOwner,
  type WalletHolder,
} from '../../../../test/harness/wallets.ts';

const service = await startTestService({ env: { CREDITS_DEBT_MAX: '40' } });
const owner = await connectAsOwner(service);
const admin = await addAdministrator(service);
const app = await registerApplication(service, admin.token);
let holder: WalletHolder;
const { given, give, change, revoke, read, hold, capture, balance } = mandateCalls(
  service,
  app,
  () => holder,
);

beforeEach(async () => {
  holder = await addWalletHolder(service);
});
afterEach(() => expectSound(service));

const debt = { allowance: 10_000_000, period: 'total', overrun: 'debt' };

test('whatever a mandate says, a wallet owes no more by overrun than the service allows', async () => {
  await given({ ...debt, overrunMax: 10_000_000 });
  const held = (await hold({ amount: 1 })).body;
  expect((await capture(held.id, 191)).body).toMatchObject({
    code: 'credits.insufficient',
    required: 191,
    available: 150,
  });
  expect((await capture(held.id, 190)).status).toBe(200);
  expect(await balance()).toMatchObject({ available: 0, debt: 40 });
});

test('a mandate that allows less counts', async () => {
  await given({ ...debt, overrunMax: 5 });
  const held = (await hold({ amount: 150 })).body;
  expect((await capture(held.id, 156)).body.code).toBe('credits.insufficient');
  expect((await capture(held.id, 155)).status).toBe(200);
});

test('what an administrator takes back may be owed beyond it, and then leaves no room', async () => {
  await given({ ...debt, overrunMax: 100 });
  const held = (await hold({ amount: 150 })).body;
  await post(service, admin, 'adjustments', { userId: holder.userId, amount: 500, description: 'Damage' });
  expect(await balance()).toMatchObject({ debt: 500 });
  expect((await capture(held.id, 151)).body.code).toBe('credits.insufficient');
  expect((await capture(held.id, 150)).status).toBe(200);
});

const contradiction = { status: 400, body: { code: 'request.invalid', errors: [{ path: '/body/overrun' }] } };

test.each([['free'], ['paid']])(
  'a mandate for %s credits leaves no debt that others would repay',
  async (kind) => {
    expect(await give({ ...debt, kinds: [kind], overrunMax: 10 })).toMatchObject(contradiction);
    const mandate = await given({ ...debt, overrunMax: 10 });
    expect(await change(mandate.id, { kinds: [kind] })).toMatchObject(contradiction);
    expect(await read(mandate.id)).toMatchObject({ kinds: ['free', 'paid'] });
    expect((await change(mandate.id, { kinds: [kind], overrun: 'spill' })).status).toBe(200);
    expect(await change(mandate.id, { overrun: 'debt' })).toMatchObject(contradiction);
  },
);

test('one that was given before is refused what is above its hold, and can be paused and revoked', async () => {
  const mandate = await given({ ...debt, overrunMax: 40 });
  await owner.query(`update credits.mandates set kinds = '{free}' where id = $1`, [mandate.id]);
  await addLot(service, holder, { source: 'purchase', kind: 'paid', amount: 400 });
  await spend(service, holder, 50);
  const held = (await hold({ amount: 100 })).body;
  expect((await capture(held.id, 101)).body).toMatchObject({ code: 'hold.exceeded', remaining: 100 });
  expect(await balance()).toMatchObject({ balance: 400, debt: 0 });
  expect((await change(mandate.id, { status: 'paused' })).status).toBe(200);
  expect((await revoke(mandate.id)).status).toBe(200);
});
