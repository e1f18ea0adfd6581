import { describe, expect, test } from 'vitest';
import { buyPack } from '../../../../test/harness/stripe-purchases.ts';
import { startTopUps } from '../../../../test/harness/top-ups.ts';
import { addWalletHolder } from '../../../../test/harness/wallets.ts';

const {
  path,
  standIn,
  service,
  second,
  owner,
  stripe,
  chargeSavedCard,
  world,
  agree,
  read,
  balance,
  topUps,
  runJob,
  agreeWithCard,
  spendDownTo,
  cardOf,
  intentsOf,
} = await startTopUps();

describe('agreeing', () => {
  test('takes a recent sign-in, and is told by mail', async () => {
    await buyPack({ service, standIn }, world.holder, { saveCard: true });
    service.clock.advance({ hours: 1 });
    const { token, userId } = world.holder;
    const terms = { packageId: world.pack.id, threshold: 100, monthlyCapCents: 3 * world.pack.priceCents };
    const refused = await service.send('PUT', path, { token, body: terms });
    expect(refused).toMatchObject({ status: 403, body: { code: 'auth.step_up_required' } });
    expect((await read()).status).toBe('off');
    expect((await agree()).body).toMatchObject({ status: 'active' });
    const subject = 'Automatic top-ups of your Obol credits are on';
    const mail = (await service.mails(`${userId}@example.com`)).find((one) => one.subject === subject);
    expect(mail?.text).toContain('less than 100 credits, we buy “Standard” for €10.00');
    expect(mail?.text).toContain('€30.00 at most');
  });

  test('wants a card that is saved, and says what is agreed', async () => {
    expect(await read()).toMatchObject({ status: 'off', packageId: null, chargedThisMonthCents: 0 });
    expect(await agree()).toMatchObject({ status: 409, body: { code: 'payments.no_saved_card' } });
    await agreeWithCard();
    expect(await read()).toEqual({
      status: 'active',
      reason: null,
      packageId: world.pack.id,
      threshold: 100,
      monthlyCapCents: 3 * world.pack.priceCents,
      priceCents: world.pack.priceCents,
      currency: 'EUR',
      chargedThisMonthCents: 0,
    });
    const ended = await service.send('DELETE', path, { token: world.holder.token });
    expect(ended).toMatchObject({ status: 200, body: { status: 'off' } });
    await spendDownTo(1);
    await runJob('top-up-wallets');
    expect(await topUps()).toEqual([]);
  });

  test('refuses terms that could not be kept, or that would charge over and over', async () => {
    await buyPack({ service, standIn }, world.holder, { saveCard: true });
    const refusals: [Record<string, unknown>, number, string][] = [
      [{ monthlyCapCents: world.pack.priceCents - 1 }, 422, 'payments.cap_too_low'],
      [{ threshold: world.pack.credits + 1 }, 422, 'payments.threshold_too_high'],
      [{ packageId: 'nothing' }, 404, 'payments.package_unavailable'],
      [{ currency: 'XTS' }, 422, 'payments.currency_unavailable'],
      ...[0, -1, 1.5, '100', null, 2 ** 53].map((threshold): [Record<string, unknown>, number, string] => [
        { threshold },
        400,
        'request.invalid',
      ]),
      ...[0, -5, 0.5, '1000', 1e12].map((monthlyCapCents): [Record<string, unknown>, number, string] => [
        { monthlyCapCents },
        400,
        'request.invalid',
      ]),
      [{ packageId: '' }, 400, 'request.invalid'],
      [{ packageId: 'a\u0000b' }, 400, 'request.invalid_text'],
    ];
    for (const [changes, status, code] of refusals)
      expect(await agree(changes), JSON.stringify(changes)).toMatchObject({ status, body: { code } });
    expect(await read()).toMatchObject({ status: 'off' });
    expect(
      (await agree({ threshold: world.pack.credits, monthlyCapCents: world.pack.priceCents })).status,
    ).toBe(200);
  });

  test('is for the person alone, while they are signed in', async () => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const terms = { packageId: world.pack.id, threshold: 100, monthlyCapCents: 5000 };
      const options = method === 'PUT' ? { body: terms } : {};
      expect((await service.send(method, path, options)).status).toBe(401);
    }
    await agreeWithCard();
    await owner.query('update auth.sessions set revoked_at = $2 where id = $1', [
      world.holder.sessionId,
      service.clock.now(),
    ]);
    for (const answer of [await agree(), await service.send('DELETE', path, { token: world.holder.token })])
      expect(answer).toMatchObject({ status: 401 });
    const { rows } = await owner.query('select status from payments.top_ups where user_id = $1', [
      world.holder.userId,
    ]);
    expect(rows).toEqual([{ status: 'active' }]);
  });
});

describe('a wallet below its threshold', () => {
  test('is topped up once, and not above it', async () => {
    await agreeWithCard();
    await runJob('top-up-wallets');
    await spendDownTo(100);
    await runJob('top-up-wallets');
    expect(await topUps()).toEqual([]);
    await spendDownTo(99);
    await runJob('top-up-wallets');
    expect(await balance()).toBe(99 + world.pack.credits);
    expect(await topUps()).toMatchObject([
      { status: 'completed', checkout_id: expect.stringMatching(/^pi_/) },
    ]);
    expect(await read()).toMatchObject({ chargedThisMonthCents: world.pack.priceCents });
    // The events about it say the same once more.
    await standIn.deliver();
    expect(await balance()).toBe(99 + world.pack.credits);
  });

  test('is charged once, however many begin at the same time, in two processes', async () => {
    await agreeWithCard();
    await spendDownTo(0);
    const jobs = [service, second].flatMap((at) => [1, 2, 3, 4].map(() => runJob('top-up-wallets', at)));
    await Promise.all(jobs);
    await standIn.deliver();
    expect(await topUps()).toHaveLength(1);
    expect(await balance()).toBe(world.pack.credits);
    expect(intentsOf()).toBe(2);
  });

  test('is not charged again at once when that was not enough, and never beyond the cap of a month', async () => {
    service.clock.set('2026-05-10T12:00:00.000Z');
    await agreeWithCard({ threshold: world.pack.credits, monthlyCapCents: 2 * world.pack.priceCents });
    const drain = async () => {
      await spendDownTo(0);
      await runJob('top-up-wallets');
    };
    await drain();
    await drain();
    expect(await topUps()).toHaveLength(1);
    service.clock.advance({ minutes: 10 });
    await runJob('top-up-wallets');
    expect(await topUps()).toHaveLength(2);
    for (let hour = 0; hour < 3; hour++) {
      service.clock.advance({ hours: 1 });
      await drain();
    }
    expect(await topUps()).toHaveLength(2);
    expect(await read()).toMatchObject({
      status: 'active',
      chargedThisMonthCents: 2 * world.pack.priceCents,
    });
    service.clock.set('2026-06-01T00:00:00.000Z');
    await drain();
    expect(await topUps()).toHaveLength(3);
    expect(await read()).toMatchObject({ chargedThisMonthCents: world.pack.priceCents });
  });

  test('does not wait for one that cannot be charged', async () => {
    await agreeWithCard();
    await spendDownTo(0);
    const other = world.holder;
    world.holder = await addWalletHolder(service);
    await agreeWithCard();
    await spendDownTo(0);
    stripe.chargeSavedCard = (order) => {
      if (order.customerId !== cardOf().customer) throw new Error('something is broken');
      return chargeSavedCard(order);
    };
    await runJob('top-up-wallets');
    expect(await topUps(other)).toMatchObject([{ status: 'pending' }]);
    expect(await balance()).toBe(world.pack.credits);
    world.holder = other;
    stripe.chargeSavedCard = chargeSavedCard;
    service.clock.advance({ minutes: 3 });
    await runJob('check-purchases');
    expect(await balance()).toBe(world.pack.credits);
  });
});
