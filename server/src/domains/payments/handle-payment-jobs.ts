import type { Ctx } from '../../ctx.ts';
import { checkPurchase } from './check-purchase.ts';
import { handleReversalJobs } from './handle-reversal-jobs.ts';
import { answerFraudWarnings } from './fraud-warnings/answer-fraud-warnings.ts';
import type { PurchaseRow } from './open-checkout.ts';
import { topUpWallets } from './top-ups/top-up-wallets.ts';

/** So many at a time, and so many times a turn. */
const checksMax = 20;
const turnsMax = 50;

/** Names who asks providers about purchases of which nothing has been heard, and who charges saved cards. */
export function handlePaymentJobs(ctx: Ctx): void {
  ctx.jobs.handle('check-purchases', async () => {
    for (let turn = 0, checked = checksMax; checked === checksMax && turn < turnsMax; turn++) {
      checked = await checkDuePurchases(ctx);
    }
  });
  handleReversalJobs(ctx);
  ctx.jobs.handle('top-up-wallets', () => topUpWallets(ctx));
  ctx.jobs.handle('answer-fraud-warnings', () => answerFraudWarnings(ctx));
}

/** Asks about some that are due; one that cannot be cleared up is due again later and holds up no other. */
async function checkDuePurchases(ctx: Ctx): Promise<number> {
  const rows = await ctx.db.call<{ purchase: PurchaseRow }>(
    'select purchase from payments.take_due_checks($1, $2) as purchase',
    [checksMax, ctx.clock.now()],
  );
  await Promise.all(
    rows.map(({ purchase }) =>
      checkPurchase(ctx, purchase).catch((error: unknown) => {
        ctx.log.warn({ err: error, purchaseId: purchase.id }, 'the payment of a purchase is not cleared up');
      }),
    ),
  );
  return rows.length;
}
