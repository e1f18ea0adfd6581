import type { Ctx } from '../../ctx.ts';
import { checkPurchase } from './check-purchase.ts';
import type { PurchaseRow } from './open-checkout.ts';

/** So many at a time, and so many times a turn. */
const checksMax = 20;
const turnsMax = 50;

/** Names who asks providers about purchases of which nothing has been heard. */
export function handlePaymentJobs(ctx: Ctx): void {
  ctx.jobs.handle('check-purchases', async () => {
    for (let turn = 0, checked = checksMax; checked === checksMax && turn < turnsMax; turn++) {
      checked = await checkDuePurchases(ctx);
    }
  });
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
