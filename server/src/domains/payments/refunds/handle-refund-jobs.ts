import type { Ctx } from '../../../ctx.ts';
import { sendOrder, type RefundToSend } from './send-refund.ts';

const rowsMax = 20;
const turnsMax = 50;

/** Names who asks providers again about refunds of which nobody knows whether they have heard. */
export function handleRefundJobs(ctx: Ctx): void {
  ctx.jobs.handle('send-refunds', async () => {
    for (let turn = 0, taken = rowsMax; taken === rowsMax && turn < turnsMax; turn++) {
      taken = await sendDueRefunds(ctx);
    }
  });
}

/** Sends some that are due; one that cannot be sent is due again later and holds up no other. */
async function sendDueRefunds(ctx: Ctx): Promise<number> {
  const rows = await ctx.db.call<{ refund: RefundToSend }>(
    'select refund from payments.take_due_refunds($1, $2) as refund',
    [rowsMax, ctx.clock.now()],
  );
  for (const { refund } of rows) {
    await sendOrder(ctx, refund).catch((error: unknown) => {
      ctx.log.warn({ err: error, refundId: refund.id }, 'a refund is not sent yet');
    });
  }
  return rows.length;
}
