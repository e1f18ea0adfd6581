import { expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { expectSound } from '../../../../test/harness/movements.ts';
import { createRefundingProvider, openRefundDesk } from '../../../../test/harness/refunds.ts';

const provider = createRefundingProvider();
const service = await startTestService({
  env: { CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0' },
  paymentProviders: [provider],
});
const { owner, tell, buy, purchase, refundNow } = await openRefundDesk(service, provider);

test('a refund of what was paid a second time takes no credits: those of the first payment stay', async () => {
  const { id } = await buy();
  const paid = provider.checkouts.get(`cs_${id}`);
  if (!paid) throw new Error('nothing was opened');
  const second = { ...paid, checkoutId: `cs_zz_${id}`, paymentId: 'pi_second' };
  await tell(second, {
    kind: 'fraud_warning',
    warningId: 'issfr_second',
    paymentId: 'pi_second',
    reason: 'stolen',
    isActionable: true,
  });
  const answer = "select payments.answer_fraud_warnings('refunded', 10, $1, 0, 0)";
  expect((await owner.query(answer, [service.clock.now()])).rows).toHaveLength(1);
  expect(await purchase(id)).toMatchObject({ status: 'completed', creditsReceived: 1000 });
  // All of the first payment can still be refunded.
  expect((await refundNow(id)).body).toMatchObject({ amountCents: 1000 });
  expect(await purchase(id)).toMatchObject({ creditsReceived: 0 });
  await expectSound(service);
});
