import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { exactInteger } from '../../../lib/exact.ts';
import { reachFaultPoint } from '../../../lib/fault-points.ts';

const warningsMax = 50;
const answers = { record: 'recorded', freeze: 'frozen', refund: 'refunded' } as const;

type OpenRefund = {
  refund_request_id: string;
  payment_id: string;
  amount_cents: number | string;
  currency: string;
};

/**
 * Does about warnings of stolen cards what STRIPE_FRAUD_WARNINGS says, once the purchase that each is about
 * is known. A refund takes its credits before the provider is asked, and is asked for again until the
 * provider has answered.
 */
export async function answerFraudWarnings(ctx: Ctx): Promise<void> {
  const { creditsDailyFree, creditsDailyCap, stripeFraudWarnings } = ctx.config;
  await ctx.db.call('select payments.answer_fraud_warnings($1, $2, $3, $4, $5)', [
    answers[stripeFraudWarnings as keyof typeof answers],
    warningsMax,
    ctx.clock.now(),
    creditsDailyFree,
    creditsDailyCap,
  ]);
  await reachFaultPoint('warning.answered');
  const open = await ctx.db.call<OpenRefund>('select * from payments.open_fraud_refunds($1)', [warningsMax]);
  for (const refund of open) await askForRefund(ctx, refund);
}

/** One that is not cleared up is asked for again with the next job. */
async function askForRefund(ctx: Ctx, refund: OpenRefund): Promise<void> {
  const { refund_request_id: refundRequestId, payment_id: paymentId, currency } = refund;
  try {
    const provider = ctx.payments.provider('stripe');
    const amountCents = exactInteger(refund.amount_cents);
    const reason = 'fraud_warning';
    const fact = await provider.refund({ refundRequestId, paymentId, amountCents, currency, reason });
    await reachFaultPoint('warning.sent');
    await ctx.payments.applyFacts(provider, [fact]);
    await reachFaultPoint('warning.applied');
    await noteRefund(ctx, refundRequestId, 'sent');
  } catch (error) {
    ctx.log.warn({ err: error, refundRequestId }, 'a refund after a warning is not cleared up');
    const isRefused = error instanceof AppError && error.code === 'payments.provider_refused';
    if (isRefused) await noteRefund(ctx, refundRequestId, 'failed');
  }
}

async function noteRefund(ctx: Ctx, refundRequestId: string, status: 'sent' | 'failed'): Promise<void> {
  const { creditsDailyFree, creditsDailyCap } = ctx.config;
  await ctx.db.call('select payments.note_fraud_refund($1, $2, $3, $4, $5)', [
    refundRequestId,
    status,
    ctx.clock.now(),
    creditsDailyFree,
    creditsDailyCap,
  ]);
}
