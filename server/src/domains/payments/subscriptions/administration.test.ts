import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deliverAll, end, pay, renew } from '../../../../test/harness/billing.ts';
import { addAdministrator, expectSound } from '../../../../test/harness/movements.ts';
import {
  ask,
  makePlan,
  paidCredits,
  startBilledService,
  subscribe,
  type Subscriber,
} from '../../../../test/harness/plans.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';
import { AppError } from '../../../errors.ts';

const start = '2027-04-01T00:00:00.000Z';
const { service, billing, admin } = await startBilledService(start);
await makePlan(service, admin, 'small');
const owner = await connectAsOwner(service);
const { provider } = billing;
const cancelAtProvider = provider.cancelSubscription.bind(provider);

let one: Subscriber;
beforeEach(async () => {
  service.clock.set(start);
  one = await subscribe(service, billing, 'small');
});
afterEach(async () => {
  provider.cancelSubscription = cancelAtProvider;
  await deliverAll(service, billing);
  await expectSound(service);
});

const reason = 'Asked by mail';
type Asked = { asker?: { token: string }; userId?: string; subscriptionId?: string };
const endIt = (body: unknown = { reason, when: 'now' }, { asker = admin, ...of }: Asked = {}) => {
  const { userId, subscriptionId } = { ...one, ...of };
  const path = `/api/v1/users/${userId}/subscriptions/${subscriptionId}/end`;
  return service.send('POST', path, { token: asker.token, body });
};
const list = (asker: { token: string } = admin, userId = one.userId) =>
  service.send('GET', `/api/v1/users/${userId}/subscriptions`, { token: asker.token });
const atProvider = () => billing.billed.find(({ fact }) => fact.subscriptionId === one.subscriptionId)?.fact;
const trail = async () =>
  (
    await owner.query(
      `select actor_type, actor_id, reason, details from audit.events
        where action = 'payments.subscription_end_asked' and target_id = $1 order by details->>'when' desc`,
      [one.userId],
    )
  ).rows;
const rowOfTrail = (when: string) => ({
  actor_type: 'user',
  actor_id: admin.userId,
  reason,
  details: { subscriptionId: one.subscriptionId, when },
});
/** Compares what the provider says of it, with these changes. */
const compare = (fact: object) =>
  owner.query('select (payments.compare_subscription($1, $2)).*', ['stripe', { ...atProvider(), ...fact }]);
const forbidden = (code: string) => ({ status: 403, body: { code } });
const expectUntouched = async () => {
  expect(atProvider()).toMatchObject({ status: 'active', cancelsAtPeriodEnd: false });
  expect((await ask(service, one, 'GET')).body).toMatchObject({
    status: 'active',
    cancelsAtPeriodEnd: false,
  });
  expect(await trail()).toEqual([]);
};

describe('an administrator', () => {
  test('ends a subscription with its period, once, and the trail says who and why', async () => {
    for (const body of [{ reason }, { reason, when: 'period_end' }]) {
      expect(await endIt(body)).toMatchObject({
        status: 200,
        body: { id: one.subscriptionId, status: 'active', cancelsAtPeriodEnd: true },
      });
    }
    expect(atProvider()).toMatchObject({ status: 'active', cancelsAtPeriodEnd: true });
    expect(await trail()).toEqual([rowOfTrail('period_end')]);
    // It ends like one that its owner cancelled, who may think better of it.
    expect((await ask(service, one, 'POST', {}, '/resume')).body).toMatchObject({
      cancelsAtPeriodEnd: false,
    });
  });

  test('ends it at once, for good, and the plan goes, but no credits that were paid for', async () => {
    await endIt({ reason });
    expect(await endIt()).toMatchObject({
      status: 200,
      body: { status: 'ended', cancelsAtPeriodEnd: false, endedAt: expect.any(String) },
    });
    expect(await endIt()).toMatchObject({ status: 200, body: { status: 'ended' } });
    expect(atProvider()).toMatchObject({ status: 'ended' });
    expect(await trail()).toEqual([rowOfTrail('period_end'), rowOfTrail('now')]);
    expect((await ask(service, one, 'POST', {}, '/resume')).status).toBe(404);
    expect(await paidCredits(service, one)).toBe(1000);
    const { body } = await service.send('GET', '/api/v1/auth/me', { token: one.token });
    expect([body.subscriptionStatus, body.subscriptionTier]).toEqual(['ended', 'free']);
  });

  test('ends one whose bill failed, too', async () => {
    service.clock.set('2027-05-01T00:00:00.000Z');
    renew(billing, one.subscriptionId, { fails: true });
    await deliverAll(service, billing);
    const asker = await addAdministrator(service);
    expect(await endIt(undefined, { asker })).toMatchObject({ status: 200, body: { status: 'ended' } });
    expect(atProvider()).toMatchObject({ status: 'ended' });
  });

  test('ends one that waits in its checkout, unless it was just paid', async () => {
    const waiting = await addWalletHolder(service);
    const { body } = await ask(service, waiting, 'POST', { planId: 'small' });
    const of = { userId: waiting.userId, subscriptionId: body.subscriptionId };
    expect(await endIt({ reason }, of)).toMatchObject({ body: { status: 'ended', checkoutUrl: null } });
    expect(() => pay(billing, body.subscriptionId)).toThrow('there is no such checkout');
    const { body: second } = await ask(service, waiting, 'POST', { planId: 'small' });
    pay(billing, second.subscriptionId);
    const paid = { ...of, subscriptionId: second.subscriptionId };
    expect(await endIt({ reason }, paid)).toMatchObject({
      body: { status: 'active', cancelsAtPeriodEnd: true },
    });
  });

  test('of two at the same time ends it once, and both are told so', async () => {
    const answers = await Promise.all([endIt(), endIt(), endIt({ reason })]);
    for (const { status } of answers) expect(status).toBe(200);
    expect(atProvider()).toMatchObject({ status: 'ended' });
    expect((await list()).body).toMatchObject([
      { id: one.subscriptionId, status: 'ended', endedAt: expect.any(String) },
    ]);
  });

  test('sees the subscriptions of a person, the youngest first', async () => {
    await endIt();
    service.clock.advance({ minutes: 1 });
    const next = await subscribe(service, billing, 'small', one);
    const { status, body } = await list();
    expect(status).toBe(200);
    expect(body).toMatchObject([
      { id: next.subscriptionId, status: 'active' },
      { id: one.subscriptionId, status: 'ended' },
    ]);
    expect((await list(admin, admin.userId)).body).toEqual([]);
  });

  test('ends at once what only runs out at its provider, and a comparison finds nothing in that', async () => {
    provider.cancelSubscription = async (order) => {
      const fact = await cancelAtProvider({ ...order, isAtOnce: false });
      return { ...fact, status: 'ended', cancelsAtPeriodEnd: false };
    };
    expect(await endIt()).toMatchObject({ status: 200, body: { status: 'ended' } });
    await deliverAll(service, billing);
    expect((await list()).body).toMatchObject([{ status: 'ended', cancelsAtPeriodEnd: false }]);
    expect((await compare({})).rows).toMatchObject([{ list: 'matched' }]);
    expect((await compare({ cancelsAtPeriodEnd: false })).rows).toMatchObject([{ reason: 'ahead' }]);
  });

  test('ends one that has ended at its provider already, of which nobody has heard', async () => {
    end(billing, one.subscriptionId);
    billing.outbox.length = 0;
    expect(await endIt({ reason })).toMatchObject({ status: 200, body: { status: 'ended' } });
  });
});

describe('when the provider', () => {
  test.each(['payments.provider_unavailable', 'payments.provider_refused'] as const)(
    'fails with %s, nothing is lost and it can be asked for again',
    async (code) => {
      provider.cancelSubscription = () => Promise.reject(new AppError(code));
      expect((await endIt()).body).toMatchObject({ code });
      expect((await ask(service, one, 'GET')).body).toMatchObject({
        status: 'active',
        cancelsAtPeriodEnd: false,
      });
      expect(await trail()).toEqual([rowOfTrail('now')]);
      provider.cancelSubscription = cancelAtProvider;
      expect(await endIt()).toMatchObject({ status: 200, body: { status: 'ended' } });
    },
  );

  test('did it and nobody heard so, the next time is told', async () => {
    provider.cancelSubscription = async (order) => {
      await cancelAtProvider(order);
      throw new AppError('payments.provider_unavailable');
    };
    expect((await endIt()).status).toBe(503);
    provider.cancelSubscription = cancelAtProvider;
    billing.outbox.length = 0;
    expect(await endIt()).toMatchObject({ status: 200, body: { status: 'ended' } });
  });
});

describe('is refused', () => {
  afterEach(expectUntouched);

  test('to everybody but administrators, its owner too', async () => {
    for (const asker of [one, await addWalletHolder(service)]) {
      expect(await endIt(undefined, { asker })).toMatchObject(forbidden('auth.admin_required'));
      expect(await list(asker)).toMatchObject(forbidden('auth.admin_required'));
    }
    expect((await endIt(undefined, { asker: { token: '' } })).status).toBe(401);
  });

  test('without a recent sign-in', async () => {
    const stale: WalletHolder = await addAdministrator(service);
    await owner.query(
      `update auth.sessions set created_at = created_at - interval '1 day', authenticated_at = null where id = $1`,
      [stale.sessionId],
    );
    expect(await endIt(undefined, { asker: stale })).toMatchObject(forbidden('auth.step_up_required'));
    expect((await list(stale)).status).toBe(200);
  });

  test('to who looks at the account of somebody', async () => {
    const path = `/api/v1/users/${one.userId}/impersonate`;
    const { body } = await service.send('POST', path, { token: admin.token, body: { reason } });
    const asker = { token: body.accessToken };
    expect(await endIt(undefined, { asker })).toMatchObject(forbidden('auth.impersonation_forbidden'));
  });

  test('for what is not there, or somebody else’s', async () => {
    const notFound = { status: 404, body: { code: 'request.not_found' } };
    const other = await subscribe(service, billing, 'small');
    expect(await endIt(undefined, { subscriptionId: other.subscriptionId })).toMatchObject(notFound);
    expect(await endIt(undefined, { userId: other.userId })).toMatchObject(notFound);
    expect(await endIt(undefined, { subscriptionId: randomUUID() })).toMatchObject(notFound);
    expect(await endIt(undefined, { userId: randomUUID() })).toMatchObject(notFound);
    expect(await list(admin, randomUUID())).toMatchObject(notFound);
    expect((await endIt(undefined, { subscriptionId: 'mine' })).status).toBe(400);
  });

  test.each([{}, { reason: '' }, { reason: 'a\nb' }, { when: 'now' }, { reason, when: 'later' }])(
    'with %j',
    async (body) => {
      expect((await endIt(body)).status).toBe(400);
    },
  );
});
