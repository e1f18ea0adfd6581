import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { readOwn, spend } from '../../../test/harness/movements.ts';
import { deliver, disputeOf, pay, refundOf } from '../../../test/harness/payments.ts';
import { openShop } from '../../../test/harness/shop.ts';

const { provider, service, owner, desk, begin, balance, purchase, tell } = await openShop();

const events = async (paymentId: string) =>
  (
    await owner.query(
      `select outcome, reason, waits_for from payments.events where payload::text like $1 order by received_at, id`,
      [`%${paymentId}%`],
    )
  ).rows;

describe('what goes back', () => {
  test('takes its part of the credits, and leaves a debt where they are spent', async () => {
    const { id, checkoutId, paymentId } = await begin();
    await tell(pay(provider, checkoutId));
    await tell(refundOf(paymentId, 250, 'pending'));
    expect(await purchase(id)).toMatchObject({
      status: 'completed',
      creditsReceived: 750,
      refundedCents: 250,
    });
    expect(await balance()).toMatchObject({ balance: 750 });
    await spend(service, desk.holder, 700);
    await tell(refundOf(paymentId, 1000, 'succeeded', { refundId: 're_2' }));
    expect(await purchase(id)).toMatchObject({ status: 'refunded', creditsReceived: 0 });
    expect(await balance()).toMatchObject({ balance: 0, debt: 700 });
  });

  test('comes back when the refund fails', async () => {
    const { id, checkoutId, paymentId } = await begin();
    await tell(pay(provider, checkoutId));
    await tell(refundOf(paymentId, 1000, 'succeeded'));
    await tell(refundOf(paymentId, 1000, 'failed'));
    await tell(refundOf(paymentId, 1000, 'pending'));
    expect(await purchase(id)).toMatchObject({
      status: 'completed',
      creditsReceived: 1000,
      refundedCents: 0,
    });
    expect(await balance()).toMatchObject({ balance: 1000, debt: 0 });
  });

  test('a dispute takes everything at once, and gives it back when it is won', async () => {
    const { id, checkoutId, paymentId } = await begin();
    await tell(pay(provider, checkoutId));
    await spend(service, desk.holder, 400);
    await tell(disputeOf(paymentId, 1000));
    expect(await purchase(id)).toMatchObject({ status: 'disputed', creditsReceived: 0, disputedCents: 1000 });
    expect(await balance()).toMatchObject({ available: 0, debt: 400 });
    await tell(disputeOf(paymentId, 1000, 'won'));
    expect(await purchase(id)).toMatchObject({
      status: 'completed',
      creditsReceived: 1000,
      disputedCents: 0,
    });
    expect(await balance()).toMatchObject({ available: 600, debt: 0 });
  });

  test('before anybody heard of the payment waits for it', async () => {
    const { id, checkoutId, paymentId } = await begin();
    await tell(refundOf(paymentId, 500));
    const waiting = await events(paymentId);
    expect(waiting).toMatchObject([{ outcome: 'waiting', waits_for: `payment:${paymentId}` }]);
    await tell(pay(provider, checkoutId));
    expect(await events(paymentId)).toMatchObject([
      { outcome: 'applied', waits_for: null },
      { outcome: 'applied' },
    ]);
    expect(await purchase(id)).toMatchObject({ status: 'completed', creditsReceived: 500 });
    expect(await readOwn(service, desk.holder, 'transactions')).toHaveLength(1);
  });

  test('of which an administrator has taken a part by hand already takes no more than there is', async () => {
    const { checkoutId, paymentId } = await begin();
    await tell(pay(provider, checkoutId));
    const [{ id: transactionId }] = await readOwn(service, desk.holder, 'transactions');
    await owner.query(`select credits.claw_back_credits($1, $2, 0, 0)`, [
      { target_id: transactionId, amount: 300, description: 'By hand' },
      service.clock.now(),
    ]);
    await tell(refundOf(paymentId, 1000));
    expect(await balance()).toMatchObject({ balance: 0, debt: 0 });
  });
});

describe('an event', () => {
  test('counts once, however often and however many at once it comes', async () => {
    const { checkoutId } = await begin();
    const delivery = provider.sign([pay(provider, checkoutId)]);
    const answers = await Promise.all(Array.from({ length: 30 }, () => deliver(service, provider, delivery)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(await events(checkoutId)).toHaveLength(1);
    expect(await balance()).toMatchObject({ balance: 1000 });
  });

  test('under many ids is one payment', async () => {
    const { checkoutId } = await begin();
    const fact = pay(provider, checkoutId);
    await Promise.all(Array.from({ length: 10 }, () => deliver(service, provider, provider.sign([fact]))));
    expect(await balance()).toMatchObject({ balance: 1000 });
  });

  test.each([
    ['wrong_amount', { amountCents: 999 }],
    ['wrong_amount', { amountCents: 1001 }],
    ['wrong_currency', { currency: 'USD' }],
    ['wrong_purchase', { purchaseId: randomUUID() }],
  ])('with %s %j is kept, and has no effect', async (reason, wrong) => {
    const { id, checkoutId } = await begin();
    const fact = { ...pay(provider, checkoutId), ...wrong };
    await tell(fact);
    expect(await events(checkoutId)).toMatchObject([{ outcome: 'refused', reason }]);
    expect(await balance()).toMatchObject({ balance: 0 });
    await tell(provider.checkouts.get(checkoutId)!);
    expect(await purchase(id)).toMatchObject({ status: 'completed', creditsReceived: 1000 });
  });

  test('of another purchase of the same person pays for that one alone', async () => {
    const [one, other] = [await begin(), await begin()];
    await tell({ ...pay(provider, one.checkoutId), purchaseId: other.id });
    expect(await balance()).toMatchObject({ balance: 0 });
  });

  test('that says nothing about money is kept', async () => {
    const delivery = provider.sign([], { type: 'customer.created', id: `evt_${randomUUID()}` });
    expect((await deliver(service, provider, delivery)).status).toBe(200);
    const { rows } = await owner.query(`select outcome from payments.events where type = 'customer.created'`);
    expect(rows).toEqual([{ outcome: 'ignored' }]);
  });

  test('with texts that the database cannot hold is kept all the same', async () => {
    const payload = { text: 'a\0b\ud800c\\u0000d' };
    const delivery = provider.sign([], { type: 'odd.texts', payload });
    expect((await deliver(service, provider, delivery)).status).toBe(200);
    const { rows } = await owner.query(`select payload from payments.events where type = 'odd.texts'`);
    expect(rows[0].payload.text).toBe('a\ufffdb\ufffdc\\u0000d');
  });

  test('into a closed wallet waits for an administrator', async () => {
    const { id, checkoutId } = await begin();
    await owner.query(`update credits.balances set status = 'closed' where wallet_id = $1`, [
      desk.holder.userId,
    ]);
    await tell(pay(provider, checkoutId));
    const { rows } = await owner.query(
      'select status, posted_credits, problem from credits.purchases where id = $1',
      [id],
    );
    expect(rows).toEqual([{ status: 'completed', posted_credits: 0, problem: 'wallet_closed' }]);
  });

  test('whose facts cannot be stored fails alone', async () => {
    const { checkoutId } = await begin();
    const bad = provider.sign([refundOf('pi_bad', -5)]);
    const answers = await Promise.all([
      deliver(service, provider, bad),
      deliver(service, provider, provider.sign([pay(provider, checkoutId)])),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const { rows } = await owner.query(
      `select outcome, reason from payments.events where outcome = 'failed'`,
    );
    expect(rows).toEqual([{ outcome: 'failed', reason: '23514' }]);
    expect(await balance()).toMatchObject({ balance: 1000 });
  });
});

const refused = async (code: string) =>
  (await owner.query('select code, body from payments.refused_deliveries where code = $1 limit 1', [code]))
    .rows[0];

describe('a delivery is refused', () => {
  test('with a wrong signature', async () => {
    const { checkoutId } = await begin();
    const { body, headers } = provider.sign([pay(provider, checkoutId)]);
    const answer = await deliver(service, provider, { body: `${body} `, headers });
    expect(answer).toMatchObject({ status: 400, body: { code: 'payments.signature_invalid' } });
    expect(await refused('payments.signature_invalid')).toMatchObject({
      code: 'payments.signature_invalid',
      body: expect.stringContaining('evt_'),
    });
    expect(await events(checkoutId)).toEqual([]);
    expect(await balance()).toMatchObject({ balance: 0 });
  });

  test('of the other mode', async () => {
    expect((await deliver(service, provider, provider.sign([], { isLive: true }))).body.code).toBe(
      'payments.wrong_mode',
    );
    expect(await refused('payments.wrong_mode')).toBeDefined();
  });

  test('without a body, with a strange type, or too large', async () => {
    for (const [body, type] of [
      ['', 'application/json'],
      ['x', 'text/plain'],
      ['\0\xff', 'application/octet-stream'],
    ] as const) {
      const answer = await deliver(service, provider, { body, headers: { 'content-type': type } });
      expect(answer.body.code).toBe('payments.signature_invalid');
    }
    const large = { body: 'x'.repeat(1_100_000), headers: { 'content-type': 'application/json' } };
    expect((await deliver(service, provider, large)).status).toBe(413);
  });
});
