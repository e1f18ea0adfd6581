import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { expectSound, spend } from '../../../../test/harness/movements.ts';
import { disputeOf, refundOf } from '../../../../test/harness/payments.ts';
import { createRefundingProvider, openRefundDesk } from '../../../../test/harness/refunds.ts';
import { addWalletHolder } from '../../../../test/harness/wallets.ts';

const provider = createRefundingProvider();
const service = await startTestService({
  env: { CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0' },
  paymentProviders: [provider],
});
const automatic = await startTestService({
  env: { CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0', REFUNDS_AUTOMATIC_WITHIN: '14d' },
  paymentProviders: [provider],
  shareDatabaseWith: service,
});
const desk = await openRefundDesk(service, provider);
const { admin, owner, send, tell, buy, ask, approve, refundNow, purchase, available, debt } = desk;
const refused = (code: string, status = 409) => ({ status, body: { code } });

beforeEach(() => desk.reset());
afterEach(() => expectSound(service));

async function runDueRefunds(): Promise<void> {
  await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, 'send-refunds', {}));
  await service.ctx.jobs.runDue();
}

describe('an answer that was lost', () => {
  test('is asked for again under the same key until it is known', async () => {
    const { id } = await buy();
    const { body } = await ask(id);
    provider.losesAnswers = true;
    expect((await approve(body.id)).body.state).toBe('approved');
    expect(await available()).toBe(0);
    await runDueRefunds();
    expect(provider.calls.filter((name) => name === 'refund')).toHaveLength(1);
    service.clock.advance({ minutes: 6 });
    await runDueRefunds();
    provider.losesAnswers = false;
    service.clock.advance({ minutes: 30 });
    await runDueRefunds();
    expect(provider.calls.filter((name) => name === 'refund')).toHaveLength(3);
    expect((await send(desk.holder, 'GET', 'refunds')).body).toMatchObject([{ state: 'succeeded' }]);
    expect(await purchase(id)).toMatchObject({ status: 'refunded', refundedCents: 1000 });
    service.clock.advance({ hours: 12 });
    await runDueRefunds();
    expect(provider.calls.filter((name) => name === 'refund')).toHaveLength(3);
  });

  test('is looked up in the list once the provider may have forgotten the key', async () => {
    const { id } = await buy();
    const { body } = await ask(id, { amountCents: 100 });
    provider.losesAnswers = true;
    await approve(body.id);
    provider.losesAnswers = false;
    service.clock.advance({ hours: 30 });
    provider.calls.length = 0;
    await runDueRefunds();
    expect(provider.calls).toContain('listFacts');
    expect(provider.calls).not.toContain('refund');
    expect(await purchase(id)).toMatchObject({ refundedCents: 100, creditsReceived: 900 });
  });

  test('may come by a webhook, and nothing more is sent', async () => {
    const { id } = await buy();
    const { body } = await ask(id);
    provider.losesAnswers = true;
    await approve(body.id);
    provider.losesAnswers = false;
    const sent = provider.sent.get(body.id);
    if (sent) await tell(sent);
    provider.calls.length = 0;
    service.clock.advance({ minutes: 10 });
    await runDueRefunds();
    expect(provider.calls).toEqual([]);
    expect(await purchase(id)).toMatchObject({ status: 'refunded', refundedCents: 1000 });
  });
});

describe('a refund by an administrator', () => {
  test('is of any purchase, whole or in part, and spent credits become debt', async () => {
    const { id } = await buy();
    await spend(service, desk.holder, 900);
    const { status, body } = await refundNow(id, { amountCents: 400 });
    expect(status).toBe(201);
    expect(body).toMatchObject({ state: 'succeeded', amountCents: 400, userId: desk.holder.userId });
    expect(await debt()).toBe(300);
    expect((await refundNow(id)).body).toMatchObject({ amountCents: 600, state: 'succeeded' });
    expect(await debt()).toBe(900);
    expect(await purchase(id)).toMatchObject({ status: 'refunded', creditsReceived: 0 });
    expect(await refundNow(id)).toMatchObject({
      ...refused('payments.refund_exceeds'),
      body: { refundableCents: 0 },
    });
    const { rows } = await owner.query(
      `select count(*)::integer as count from audit.events
        where action = 'payments.refund_made' and target_id = $1`,
      [id],
    );
    expect(rows).toEqual([{ count: 2 }]);
    await buy();
    expect(await debt()).toBe(0);
    expect(await available()).toBe(100);
  });

  test('of more than was paid is refused, however many ask at once', async () => {
    const { id } = await buy();
    const answers = await Promise.all(Array.from({ length: 5 }, () => refundNow(id, { amountCents: 400 })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(2);
    expect(await purchase(id)).toMatchObject({ refundedCents: 800, creditsReceived: 200 });
  });
});

describe('refunds and disputes of one payment', () => {
  test('never take more than it has granted, in any order', async () => {
    for (const turn of [0, 1, 2]) {
      const { id, paymentId } = await buy();
      const facts = [refundOf(paymentId, 700), disputeOf(paymentId, 1000)];
      if (turn === 0) for (const fact of facts) await tell(fact);
      else if (turn === 1) for (const fact of facts.toReversed()) await tell(fact);
      else await Promise.all(facts.map((fact) => tell(fact)));
      expect(await purchase(id)).toMatchObject({ creditsReceived: 0, status: 'disputed' });
      await tell(disputeOf(paymentId, 1000, 'won'));
      expect(await purchase(id)).toMatchObject({ creditsReceived: 300, refundedCents: 700 });
      expect(await debt()).toBe(0);
      await spend(service, desk.holder, 300);
    }
  });

  test('made at the provider are listed with those asked for here', async () => {
    const { id, paymentId } = await buy();
    await tell(refundOf(paymentId, 250));
    const asked = await ask(id, { amountCents: 100 });
    const { body, headers } = await send(desk.holder, 'GET', 'refunds?limit=1');
    expect(headers.get('x-total-count')).toBe('2');
    expect(headers.get('link')).toContain('offset=1');
    const rest = await send(desk.holder, 'GET', 'refunds?limit=1&offset=1');
    const states = Object.fromEntries([...body, ...rest.body].map((one) => [one.id, one.state]));
    expect(states).toEqual({ [asked.body.id]: 'requested', [`re_${paymentId}`]: 'succeeded' });
    const waiting = await send(admin, 'GET', 'refunds/all?state=requested&limit=200');
    expect(waiting.body).toContainEqual(
      expect.objectContaining({
        id: asked.body.id,
        userId: desk.holder.userId,
        email: `${desk.holder.userId}@example.com`,
      }),
    );
    expect((await send(admin, 'GET', 'refunds/all?state=lost')).status).toBe(400);
    const stranger = await addWalletHolder(service);
    expect((await send(stranger, 'GET', 'refunds')).body).toEqual([]);
  });
});

describe('automatic approval', () => {
  test('is for what is untouched and young', async () => {
    const young = await buy();
    expect((await ask(young.id, {}, automatic)).body).toMatchObject({
      state: 'succeeded',
      decidedAt: expect.any(String),
    });
    const touched = await buy();
    await spend(service, desk.holder, 1);
    expect((await ask(touched.id, {}, automatic)).body).toMatchObject({
      state: 'requested',
      amountCents: 999,
    });
    const old = await buy();
    service.clock.advance({ days: 14 });
    expect((await ask(old.id, {}, automatic)).body).toMatchObject({ state: 'requested', decidedAt: null });
  });
});
