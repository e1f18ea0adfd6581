import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { reachFaultPoint } from '../../../lib/fault-points.ts';
import type { ProviderName } from '../fact.ts';
import type { PaymentProvider } from '../payment-provider.ts';
import { providerOf } from '../provider-of.ts';
import type { RefundRow } from './to-refund-view.ts';

/** What a provider must know to send money back, as `payments.refund_order` writes it. */
export type RefundToSend = {
  id: string;
  provider: ProviderName;
  is_live: boolean;
  payment_id: string | null;
  amount_cents: number;
  currency: string;
  reason: string;
  decided_at: string;
};

/** Stripe forgets keys after a day, PayPal some after six hours; money would then be sent once more. */
const keyLivesMs = 5 * 3_600_000;
/** How far a provider's clock may be behind ours. */
const clockLeewayMs = 3_600_000;

/**
 * Has the provider send money back that is to be sent, and applies its answer. The call is keyed by the
 * refund, so it may be made again. When the provider cannot be asked now, it is asked later; what it refuses
 * has failed, and the credits come back.
 */
export async function trySending(ctx: Ctx, refundId: string): Promise<void> {
  const [row] = await ctx.db.call<{ refund: RefundToSend | null }>(
    'select payments.refund_order($1) as refund',
    [refundId],
  );
  if (!row?.refund) return;
  try {
    await sendOrder(ctx, row.refund);
  } catch (error) {
    ctx.log.warn({ err: error, refundId }, 'a refund is not sent yet');
  }
}

/** As trySending; returns the refund as it is then. */
export async function sendRefund(ctx: Ctx, refund: RefundRow): Promise<RefundRow> {
  await trySending(ctx, refund.id);
  const [read] = await ctx.db.call<{ refund: RefundRow }>('select payments.read_refund($1) as refund', [
    refund.id,
  ]);
  return read?.refund ?? refund;
}

/**
 * Sends one refund. Throws `payments.provider_unavailable` when nobody can say what came of it, and
 * `payments.provider_not_set_up` when there is no such provider in the mode of the payment.
 */
export async function sendOrder(ctx: Ctx, order: RefundToSend): Promise<void> {
  const provider = providerOf(ctx, order);
  if (order.payment_id === null) {
    await failRefund(ctx, order.id, 'no_payment');
    return;
  }
  const isOld = ctx.clock.now().getTime() - new Date(order.decided_at).getTime() > keyLivesMs;
  if (isOld && (await findSent(ctx, provider, order))) return;
  try {
    const fact = await provider.refund({
      refundRequestId: order.id,
      paymentId: order.payment_id,
      amountCents: order.amount_cents,
      currency: order.currency,
      reason: order.reason,
    });
    await reachFaultPoint('refund.sent');
    await ctx.payments.applyFacts(provider, [{ ...fact, refundRequestId: order.id }]);
    await reachFaultPoint('refund.applied');
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'payments.provider_refused') throw error;
    ctx.log.warn({ err: error, refundId: order.id }, 'the provider has refused a refund');
    await reachFaultPoint('refund.refused');
    await failRefund(ctx, order.id, 'provider_refused');
  }
}

/** Looks among what the provider has done since for a refund whose answer was lost. */
async function findSent(ctx: Ctx, provider: PaymentProvider, order: RefundToSend): Promise<boolean> {
  const since = new Date(new Date(order.decided_at).getTime() - clockLeewayMs);
  for await (const facts of provider.listFacts(since)) {
    const sent = facts.filter((fact) => fact.kind === 'refund' && fact.refundRequestId === order.id);
    if (sent.length > 0) await reachFaultPoint('refund.found');
    await ctx.payments.applyFacts(provider, sent);
    if (sent.length > 0) return true;
  }
  return false;
}

async function failRefund(ctx: Ctx, refundId: string, why: string): Promise<void> {
  const { creditsDailyFree, creditsDailyCap } = ctx.config;
  await ctx.db.call('select payments.fail_refund($1, $2, $3, $4, $5)', [
    refundId,
    why,
    ctx.clock.now(),
    creditsDailyFree,
    creditsDailyCap,
  ]);
}
