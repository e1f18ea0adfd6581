import { expect, test } from 'vitest';
import { startTopUps } from '../../../../test/harness/top-ups.ts';
import { AppError } from '../../../errors.ts';

const {
  service,
  stripe,
  chargeSavedCard,
  world,
  agreeWithCard,
  spendDownTo,
  runJob,
  topUps,
  balance,
  intentsOf,
} = await startTopUps();

test('a top-up of which nothing was heard is in the way of an erasure, and not charged for it', async () => {
  await agreeWithCard();
  await spendDownTo(50);
  stripe.chargeSavedCard = () => Promise.reject(new AppError('payments.provider_unavailable'));
  await runJob('top-up-wallets');
  stripe.chargeSavedCard = chargeSavedCard;
  const [topUp] = await topUps();
  expect(topUp).toMatchObject({ status: 'pending', checkout_id: null });
  const before = intentsOf();
  const { token } = world.holder;
  const erase = () => service.send('DELETE', '/api/v1/users/me?erase=true', { token, body: {} });
  expect(await erase()).toMatchObject({
    status: 409,
    body: { code: 'users.erasure_blocked', checkouts: [{ id: topUp.id, kind: 'purchase' }] },
  });
  expect([intentsOf(), await balance()]).toEqual([before, 50]);
  // It is cleared up as ever, and then nothing is in the way.
  service.clock.advance({ minutes: 3 });
  await runJob('check-purchases');
  expect(intentsOf()).toBe(before + 1);
  expect(await erase()).toMatchObject({ status: 200 });
});
