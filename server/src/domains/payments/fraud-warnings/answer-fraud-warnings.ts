import type { Ctx } from '../../../ctx.ts';
import { reachFaultPoint } from '../../../lib/fault-points.ts';
import { trySending } from '../refunds/send-refund.ts';

const warningsMax = 50;
const answers = { record: 'recorded', freeze: 'frozen', refund: 'refunded' } as const;

/**
 * Does about warnings of stolen cards what STRIPE_FRAUD_WARNINGS says, once the purchase that each is about
 * is known. A refund takes its credits before the provider is asked; what the provider does not answer to is
 * a refund like any other from then on, which `send-refunds` clears up.
 */
export async function answerFraudWarnings(ctx: Ctx): Promise<void> {
  const { creditsDailyFree, creditsDailyCap, stripeFraudWarnings } = ctx.config;
  const rows = await ctx.db.call<{ refund_id: string }>(
    `select refund_id #>> '{}' as refund_id from payments.answer_fraud_warnings($1, $2, $3, $4, $5) as refund_id`,
    [
      answers[stripeFraudWarnings as keyof typeof answers],
      warningsMax,
      ctx.clock.now(),
      creditsDailyFree,
      creditsDailyCap,
    ],
  );
  await reachFaultPoint('warning.answered');
  for (const { refund_id: refundId } of rows) await trySending(ctx, refundId);
}
