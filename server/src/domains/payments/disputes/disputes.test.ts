import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { expectSound, spend } from '../../../../test/harness/movements.ts';
import { disputeOf } from '../../../../test/harness/payments.ts';
import { createRefundingProvider, openRefundDesk } from '../../../../test/harness/refunds.ts';

const provider = createRefundingProvider();
const service = await startTestService({
  env: { CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0' },
  paymentProviders: [provider],
});
const desk = await openRefundDesk(service, provider);
const { admin, tell, buy, purchase, balance } = desk;

beforeEach(() => desk.reset());
afterEach(() => expectSound(service));

describe('disputes', () => {
  test('take the credits back when they open, give them back when won, in any order', async () => {
    const orders = [
      ['open', 'won'],
      ['won', 'open'],
      ['open', 'lost'],
      ['lost', 'open'],
      ['open', 'lost', 'won'],
    ] as const;
    for (const order of orders) {
      const { id, paymentId } = await buy();
      for (const status of order) await tell(disputeOf(paymentId, 1000, status));
      const isWon = (order as readonly string[]).includes('won');
      expect((await purchase(id)).creditsReceived).toBe(isWon ? 1000 : 0);
    }
  });

  test('are told to administrators once, and what became of them', async () => {
    const { id, paymentId } = await buy();
    await spend(service, desk.holder, 400);
    await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, 'announce-disputes', {}));
    const before = (await service.mails(`${admin.userId}@example.com`)).length;
    await tell(disputeOf(paymentId, 1000));
    for (const times of [1, 2]) {
      await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, 'announce-disputes', {}));
      const mails = await service.mails(`${admin.userId}@example.com`);
      expect(mails.length, `run ${times}`).toBe(before + 1);
      expect(mails[0]?.text).toContain('The wallet owes 400 credits now');
    }
    const list = await service.send('GET', '/api/v1/payments/disputes?status=open&limit=200', {
      token: admin.token,
    });
    expect(list.body).toContainEqual(
      expect.objectContaining({
        purchaseId: id,
        status: 'open',
        credits: 1000,
        creditsLeft: 0,
        walletDebt: 400,
      }),
    );
    await tell(disputeOf(paymentId, 1000, 'won'));
    await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, 'announce-disputes', {}));
    expect((await service.mails(`${admin.userId}@example.com`))[0]?.subject).toContain('a dispute was won');
    expect(await balance()).toMatchObject({ available: 600 });
  });
});
