import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { expectSound, post, spend } from '../../../../test/harness/movements.ts';
import { deliver, disputeOf, pay } from '../../../../test/harness/payments.ts';
import { createRefundingProvider, openRefundDesk } from '../../../../test/harness/refunds.ts';
import { addWalletHolder } from '../../../../test/harness/wallets.ts';
import { AppError } from '../../../errors.ts';

const provider = createRefundingProvider();
const paypal = createRefundingProvider('paypal');
const service = await startTestService({
  env: { CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0' },
  paymentProviders: [provider, paypal],
});
const desk = await openRefundDesk(service, provider);
const { admin, owner, send, tell, buy, ask, approve, deny, refundNow, trySpend, purchase, available, debt } =
  desk;
const refused = (code: string, status = 409) => ({ status, body: { code } });

beforeEach(() => desk.reset());
afterEach(() => expectSound(service));

describe('a request for a refund', () => {
  test('takes the credits out of the wallet at once, and waits for an administrator', async () => {
    const { id } = await buy();
    const { status, body } = await ask(id);
    expect(status).toBe(201);
    expect(body).toMatchObject({ purchaseId: id, amountCents: 1000, state: 'requested', currency: 'EUR' });
    expect(body).not.toHaveProperty('email');
    expect(await available()).toBe(0);
    expect(provider.calls).not.toContain('refund');
    expect((await trySpend(1)).status).toBe(402);
  });

  test('brings at most what is unspent of that purchase, and says how much that is', async () => {
    await buy();
    service.clock.advance({ seconds: 1 });
    const { id } = await buy();
    await spend(service, desk.holder, 1300);
    // The oldest credits went first: 300 of the second purchase are gone.
    expect(await ask(id, { amountCents: 701 })).toMatchObject({
      ...refused('payments.refund_exceeds'),
      body: { refundableCents: 700 },
    });
    expect((await ask(id)).body).toMatchObject({ amountCents: 700 });
    expect(await available()).toBe(0);
    expect(await debt()).toBe(0);
  });

  test.each(['HUF', 'TWD'])('at PayPal is of whole %s, which has no decimals there', async (currency) => {
    await owner.query('insert into credits.package_prices values ($1, $2, $3)', [
      'standard',
      currency,
      10_000,
    ]);
    const order = { packageId: 'standard', provider: 'paypal', currency };
    const { purchaseId: id } = (await post(service, desk.holder, 'purchase', order)).body;
    await deliver(service, paypal, paypal.sign([pay(paypal, `cs_${id}`)]));
    await spend(service, desk.holder, 333);
    for (const [amountCents, refundableCents] of [
      [6670, 6600],
      [6599, 6500],
      [99, 0],
    ]) {
      expect(await ask(id, { amountCents })).toMatchObject({
        ...refused('payments.refund_exceeds'),
        body: { refundableCents },
      });
    }
    expect((await ask(id)).body).toMatchObject({ amountCents: 6600, currency });
    expect(await debt()).toBe(0);
  });

  test('takes a credit whole of which only a part goes back', async () => {
    const { id } = await buy();
    expect((await ask(id, { amountCents: 1 })).status).toBe(201);
    expect(await available()).toBe(999);
  });

  test('is refused when everything is spent, held by work, or was never paid', async () => {
    const { id } = await buy();
    const held = await post(service, desk.holder, 'holds', {
      amount: 1000,
      appId: 'app',
      description: 'work',
      expiresInSeconds: 60,
    });
    expect(held.status).toBe(201);
    expect(await ask(id)).toMatchObject(refused('payments.refund_exceeds'));
    const { body } = await post(service, desk.holder, 'purchase', { packageId: 'standard' });
    expect(await ask(body.purchaseId)).toMatchObject(refused('payments.not_refundable'));
  });

  test('is one per purchase while it is open', async () => {
    const { id } = await buy();
    const first = await ask(id, { amountCents: 400 });
    expect(await ask(id, { amountCents: 100 })).toMatchObject({
      ...refused('payments.refund_open'),
      body: { refundId: first.body.id },
    });
    expect(await refundNow(id)).toMatchObject(refused('payments.refund_open'));
    const answers = await Promise.all([deny(first.body.id), deny(first.body.id)]);
    expect(answers.map(({ status }) => status)).toEqual(expect.arrayContaining([200, 409]));
    expect((await ask(id)).status).toBe(201);
  });

  test('of the same key is the same request, also when many come at once', async () => {
    const [one, other] = [await buy(), await buy()];
    const idempotencyKey = randomUUID();
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(one.id, { idempotencyKey })));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 201));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(7);
    expect(await ask(other.id, { idempotencyKey })).toMatchObject(refused('idempotency.mismatch', 422));
    expect(await available()).toBe(1000);
  });

  test('is refused for what is not there, not theirs, or not a request', async () => {
    const { id } = await buy();
    const stranger = await addWalletHolder(service);
    const body = { purchaseId: id, reason: 'Mine?' };
    const theirs = await send(stranger, 'POST', 'refunds', body);
    const absent = await send(stranger, 'POST', 'refunds', { ...body, purchaseId: randomUUID() });
    expect(theirs).toMatchObject(refused('request.not_found', 404));
    expect({ ...theirs.body, requestId: '' }).toEqual({ ...absent.body, requestId: '' });
    const amounts = [0, -1, 1.5, '5', null, 2 ** 31, 1e30, {}, []];
    for (const amountCents of amounts) expect((await ask(id, { amountCents })).status).toBe(400);
    for (const reason of [undefined, '', 'x'.repeat(501), 5, 'a\u0000b', null])
      expect((await ask(id, { reason })).status).toBe(400);
    expect((await ask('no id')).status).toBe(400);
    expect((await service.send('POST', '/api/v1/payments/refunds', { body })).status).toBe(401);
    expect(await available()).toBe(1000);
  });

  test('and a spend never both have the same credits', async () => {
    const { id } = await buy();
    const spends = Array.from({ length: 15 }, () => trySpend(100));
    const answers = await Promise.all([...spends.slice(0, 8), ask(id), ...spends.slice(8)]);
    const spent = answers.filter(({ body }) => body.success === true).length * 100;
    const asked = answers.map(({ body }) => body.amountCents ?? 0).find((cents) => cents > 0) ?? 0;
    expect(spent + asked).toBeLessThanOrEqual(1000);
    expect(await available()).toBe(1000 - spent - asked);
    expect(await debt()).toBe(0);
  });
});

describe('a decision', () => {
  test('to approve sends the money back, and the purchase says so', async () => {
    const { id, paymentId } = await buy();
    const request = await ask(id);
    const { status, body } = await approve(request.body.id, { reason: 'Within fourteen days' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      state: 'succeeded',
      decision: 'Within fourteen days',
      decidedBy: admin.userId,
    });
    expect(provider.sent.get(request.body.id)).toMatchObject({ paymentId, amountCents: 1000 });
    expect(await purchase(id)).toMatchObject({ status: 'refunded', creditsReceived: 0, refundedCents: 1000 });
    // The webhook about the same refund changes nothing.
    const [fact] = [...provider.sent.values()].slice(-1);
    if (fact) await tell(fact);
    expect(await available()).toBe(0);
    const { rows } = await owner.query(
      `select action, actor_id from audit.events where target_id = $1 order by created_at`,
      [request.body.id],
    );
    expect(rows).toEqual([{ action: 'payments.refund_approved', actor_id: admin.userId }]);
  });

  test('to deny brings the credits back', async () => {
    const { id } = await buy();
    const { body } = await ask(id, { amountCents: 300 });
    expect(await available()).toBe(700);
    expect((await deny(body.id)).body).toMatchObject({ state: 'denied', decision: 'Used for months' });
    expect(await available()).toBe(1000);
    expect(await approve(body.id)).toMatchObject(refused('payments.refund_decided'));
    expect(provider.calls).not.toContain('refund');
  });

  test('is taken once when two take it at once, and the money is sent once', async () => {
    const { id } = await buy();
    const { body } = await ask(id);
    const answers = await Promise.all(Array.from({ length: 6 }, () => approve(body.id)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body: { code } }) => code === 'payments.refund_decided')).toHaveLength(5);
    expect(provider.calls.filter((name) => name === 'refund')).toHaveLength(1);
  });

  test('is for administrators', async () => {
    const { id } = await buy();
    const { body } = await ask(id);
    for (const path of [`refunds/${body.id}/approve`, `purchases/${id}/refunds`, `refunds/${body.id}/deny`])
      expect(await send(desk.holder, 'POST', path, { reason: 'Me' })).toMatchObject(
        refused('auth.admin_required', 403),
      );
    for (const path of ['refunds/all', 'disputes', 'reconciliations'])
      expect(await send(desk.holder, 'GET', path)).toMatchObject(refused('auth.admin_required', 403));
    expect(await approve(randomUUID())).toMatchObject(refused('request.not_found', 404));
    expect((await approve('no-id')).status).toBe(400);
    expect((await send(admin, 'POST', `refunds/${body.id}/deny`, {})).status).toBe(400);
  });

  test('that the provider refuses brings the credits back', async () => {
    const { id } = await buy();
    const { body } = await ask(id);
    provider.failures.set('refund', new AppError('payments.provider_refused'));
    expect((await approve(body.id)).body).toMatchObject({ state: 'failed', problem: 'provider_refused' });
    expect(await available()).toBe(1000);
  });

  test('whose refund fails at the bank brings the credits back', async () => {
    provider.refundStatus = 'pending';
    const { id } = await buy();
    const { body } = await ask(id);
    expect((await approve(body.id)).body.state).toBe('pending');
    expect(await available()).toBe(0);
    const sent = provider.sent.get(body.id);
    if (sent) await tell({ ...sent, status: 'failed' });
    expect(await available()).toBe(1000);
    expect((await send(desk.holder, 'GET', 'refunds')).body).toMatchObject([
      { id: body.id, state: 'failed' },
    ]);
  });

  test('is refused when a dispute has called the money back meanwhile', async () => {
    const { id, paymentId } = await buy();
    const { body } = await ask(id);
    await tell(disputeOf(paymentId, 1000));
    expect(await approve(body.id)).toMatchObject(refused('payments.refund_exceeds'));
    expect((await deny(body.id)).status).toBe(200);
    expect(await available()).toBe(0);
  });
});
