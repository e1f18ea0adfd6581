import type { Ctx } from '../../../ctx.ts';
import type { JobData } from '../../../jobs/index.ts';
import { creditsText, moneyText } from '../../../lib/amount-text.ts';
import type { Mail } from '../../../mail/index.ts';
import { paymentFailedMail, receiptMail, refundMail } from '../../../mail/payment-templates.ts';
import { creditsAddress } from '../../credits/index.ts';
import type { PurchaseRow } from '../open-checkout.ts';

const providerNames = { stripe: 'Stripe', paypal: 'PayPal' };

/**
 * Job: sends the receipt of a purchase, or says that its payment failed or that a refund is done. Nobody is
 * written to who has been erased. Rejects when the mail was not taken.
 */
export async function sendPurchaseMail(ctx: Ctx, job: JobData['send-purchase-mail']): Promise<void> {
  const mail = await composeMail(ctx, job);
  if (mail) await ctx.mail.send(mail);
}

async function composeMail(
  ctx: Ctx,
  { purchaseId, kind, refundId }: JobData['send-purchase-mail'],
): Promise<Mail | undefined> {
  const [row] = await ctx.db.call<{ purchase: (PurchaseRow & { refund_cents: number | null }) | null }>(
    'select payments.purchase_to_tell($1, $2) as purchase',
    [purchaseId, refundId],
  );
  const purchase = row?.purchase;
  if (!purchase || purchase.email === null) return undefined;
  const { email: to, title, currency, provider } = purchase;
  const pageUrl = creditsAddress(ctx);
  const facts = {
    to,
    title,
    pageUrl,
    price: moneyText(purchase.price_cents, currency),
    isTest: !purchase.is_live,
  };
  if (kind === 'failed') return paymentFailedMail(facts);
  if (kind === 'refund') {
    return refundMail({ ...facts, amount: moneyText(purchase.refund_cents ?? 0, currency) });
  }
  return receiptMail({
    ...facts,
    credits: creditsText(purchase.credits, ctx.config.creditsScale),
    at: new Date(purchase.completed_at ?? purchase.created_at),
    number: purchase.id,
    provider: providerNames[provider],
  });
}
