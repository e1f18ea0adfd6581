import { afterEach, expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { untilSomebodyWaits } from '../../../test/harness/locks.ts';
import { expectSound, post, readOwn } from '../../../test/harness/movements.ts';
import { createTestProvider, deliver, pay } from '../../../test/harness/payments.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../test/harness/wallets.ts';

// Two people who pay as one customer of a provider at the same time, heard of by two processes.

const providers = [createTestProvider('stripe'), createTestProvider('paypal')] as const;
const service = await startTestService({
  env: { CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0' },
  paymentProviders: providers,
});
const [owner, other] = [await connectAsOwner(service), await connectAsOwner(service)];
afterEach(() => expectSound(service));

test.each(providers)('at $name the first keeps the customer, and both payments count', async (provider) => {
  const { name } = provider;
  const customerId = `customer-of-${name}`;
  const begin = async (holder: WalletHolder) => {
    const { body } = await post(service, holder, 'purchase', { packageId: 'standard', provider: name });
    return { id: body.purchaseId as string, paid: pay(provider, `cs_${body.purchaseId}`, { customerId }) };
  };
  const [first, second] = [await addWalletHolder(service), await addWalletHolder(service)];
  const [one, two] = [await begin(first), await begin(second)];

  await other.query('begin');
  await other.query('select payments.apply_facts($1, $2, 0, 0)', [
    JSON.stringify([{ provider: name, isLive: false, isOwn: false, facts: [one.paid] }]),
    service.clock.now(),
  ]);
  const event = provider.sign([two.paid]);
  const answer = deliver(service, provider, event);
  await untilSomebodyWaits(owner);
  await other.query('commit');

  expect(await answer).toMatchObject({ status: 200 });
  const { id } = JSON.parse(event.body);
  const told = await owner.query('select outcome from payments.events where provider_event_id = $1', [id]);
  expect(told.rows).toEqual([{ outcome: 'applied' }]);
  for (const [holder, purchase] of [
    [first, one],
    [second, two],
  ] as const) {
    expect(await readOwn(service, holder, `purchase/${purchase.id}`)).toMatchObject({ status: 'completed' });
    expect(await readOwn(service, holder, 'balance')).toMatchObject({ balance: 1000 });
  }
  const known = await owner.query(
    `select id, ${name}_customer_id as customer from auth.users where id = any($1)`,
    [[first.userId, second.userId]],
  );
  expect(new Map(known.rows.map((user) => [user.id, user.customer]))).toEqual(
    new Map([
      [first.userId, customerId],
      [second.userId, null],
    ]),
  );
});
