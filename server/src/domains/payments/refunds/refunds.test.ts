import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { addAdministrator, expectSound, post, readOwn, spend } from '../../../../test/harness/movements.ts';
import { deliver, disputeOf, pay, refundOf } from '../../../../test/harness/payments.ts';
import { createRefundingProvider } from '../../../../test/harness/refunds.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../../test/harness/wallets.ts';
import { AppError } from '../../../errors.ts';

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
const owner = await connectAsOwner(service);
const admin = await addAdministrator(service);
let holder: WalletHolder;

beforeEach(async () => {
  holder = await addWalletHolder(service);
  provider.calls.length = 0;
  provider.failures.clear();
  provider.losesAnswers = false;
  provider.refundStatus = 'succeeded';
});
afterEach(() => expectSound(service));

const tell = (...facts: Parameters<typeof provider.sign>[0]) =>
  deliver(service, provider, provider.sign(facts));
/** A purchase of 1,000 credits for 1,000 cents that is paid. */
async function buy(): Promise<{ id: string; paymentId: string }> {
  const { body } = await post(service, holder, 'purchase', { packageId: 'standard' });
  const paid = pay(provider, `cs_${body.purchaseId}`);
  await tell(paid);
  return { id: body.purchaseId, paymentId: paid.paymentId ?? '' };
}
const send = (person: WalletHolder, method: string, path: string, body?: unknown, from = service) =>
  from.send(method, `/api/v1/payments/${path}`, { token: person.token, body });
const ask = (purchaseId: string, more: Record<string, unknown> = {}, from = service) =>
  send(holder, 'POST', 'refunds', { purchaseId, reason: 'Bought by mistake', ...more }, from);
const approve = (id: string, body: unknown = {}) => send(admin, 'POST', `refunds/${id}/approve`, body);
const deny = (id: string) => send(admin, 'POST', `refunds/${id}/deny`, { reason: 'Used for months' });
const refundNow = (id: string, body: Record<string, unknown> = {}) =>
  send(admin, 'POST', `purchases/${id}/refunds`, { reason: 'Goodwill', ...body });
const trySpend = (amount: number) =>
  post(service, holder, 'use', { amount, appId: 'chat', description: 'Chat message' });
const balance = () => readOwn(service, holder, 'balance');
const purchase = (id: string) => readOwn(service, holder, `purchase/${id}`);
const available = async () => (await balance()).available as number;
const refused = (code: string, status = 409) => ({ status, body: { code } });
const debt = async () => {
  const { rows } = await owner.query('select debt from credits.balances where wallet_id = $1', [
    holder.userId,
  ]);
  return Number(rows[0].debt);
};
async function runDueRefunds(): Promise<void> {
  await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, 'send-refunds', {}));
  await service.ctx.jobs.runDue();
}

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
    const { id } = await buy();
    await spend(service, holder, 1300);
    // The oldest credits went first: 300 of the second purchase are gone.
    expect(await ask(id, { amountCents: 701 })).toMatchObject({
      ...refused('payments.refund_exceeds'),
      body: { refundableCents: 700 },
    });
    expect((await ask(id)).body).toMatchObject({ amountCents: 700 });
    expect(await available()).toBe(0);
    expect(await debt()).toBe(0);
  });

  test('takes a credit whole of which only a part goes back', async () => {
    const { id } = await buy();
    expect((await ask(id, { amountCents: 1 })).status).toBe(201);
    expect(await available()).toBe(999);
  });

  test('is refused when everything is spent, held by work, or was never paid', async () => {
    const { id } = await buy();
    const held = await post(service, holder, 'holds', {
      amount: 1000,
      appId: 'app',
      description: 'work',
      expiresInSeconds: 60,
    });
    expect(held.status).toBe(201);
    expect(await ask(id)).toMatchObject(refused('payments.refund_exceeds'));
    const { body } = await post(service, holder, 'purchase', { packageId: 'standard' });
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
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
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
      expect(await send(holder, 'POST', path, { reason: 'Me' })).toMatchObject(
        refused('auth.admin_required', 403),
      );
    for (const path of ['refunds/all', 'disputes', 'reconciliations'])
      expect(await send(holder, 'GET', path)).toMatchObject(refused('auth.admin_required', 403));
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
    expect((await send(holder, 'GET', 'refunds')).body).toMatchObject([{ id: body.id, state: 'failed' }]);
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
    expect((await send(holder, 'GET', 'refunds')).body).toMatchObject([{ state: 'succeeded' }]);
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
    await spend(service, holder, 900);
    const { status, body } = await refundNow(id, { amountCents: 400 });
    expect(status).toBe(201);
    expect(body).toMatchObject({ state: 'succeeded', amountCents: 400, userId: holder.userId });
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
      await spend(service, holder, 300);
    }
  });

  test('made at the provider are listed with those asked for here', async () => {
    const { id, paymentId } = await buy();
    await tell(refundOf(paymentId, 250));
    const asked = await ask(id, { amountCents: 100 });
    const { body, headers } = await send(holder, 'GET', 'refunds?limit=1');
    expect(headers.get('x-total-count')).toBe('2');
    expect(headers.get('link')).toContain('offset=1');
    const rest = await send(holder, 'GET', 'refunds?limit=1&offset=1');
    const states = Object.fromEntries([...body, ...rest.body].map((one) => [one.id, one.state]));
    expect(states).toEqual({ [asked.body.id]: 'requested', [`re_${paymentId}`]: 'succeeded' });
    const waiting = await send(admin, 'GET', 'refunds/all?state=requested&limit=200');
    expect(waiting.body).toContainEqual(
      expect.objectContaining({
        id: asked.body.id,
        userId: holder.userId,
        email: `${holder.userId}@example.com`,
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
    await spend(service, holder, 1);
    expect((await ask(touched.id, {}, automatic)).body).toMatchObject({
      state: 'requested',
      amountCents: 999,
    });
    const old = await buy();
    service.clock.advance({ days: 14 });
    expect((await ask(old.id, {}, automatic)).body).toMatchObject({ state: 'requested', decidedAt: null });
  });
});
