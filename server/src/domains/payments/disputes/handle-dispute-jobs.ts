import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { disputeMail } from '../../../mail/reversal-templates.ts';
import { listAdministrators } from '../list-administrators.ts';
import type { DisputeRow } from './list-disputes.ts';

const rowsMax = 100;

/** Names who tells administrators of disputes. */
export function handleDisputeJobs(ctx: Ctx): void {
  ctx.jobs.handle('announce-disputes', async () => {
    for (let taken = rowsMax; taken === rowsMax;) taken = await announceDisputes(ctx);
  });
  ctx.jobs.handle('send-dispute-mail', ({ email, dispute }) =>
    ctx.mail.send(disputeMail({ to: email, dispute })),
  );
}

/**
 * Has every administrator told of disputes that have begun or ended, once of each. Returns how many there
 * were.
 */
async function announceDisputes(ctx: Ctx): Promise<number> {
  return ctx.db.asService(async (tx) => {
    const { rows } = await tx.execute<{ dispute: DisputeRow }>(
      sql`select dispute from payments.take_unannounced_disputes(${rowsMax}) as dispute`,
    );
    const emails = rows.length === 0 ? [] : await listAdministrators(tx);
    for (const { dispute } of rows) {
      const news = {
        provider: dispute.provider,
        disputeId: dispute.dispute_id,
        status: dispute.status,
        amountCents: dispute.amount_cents,
        currency: dispute.currency,
        purchaseId: dispute.purchase_id,
        debt: dispute.debt,
      };
      for (const email of emails) await ctx.jobs.enqueue(tx, 'send-dispute-mail', { email, dispute: news });
    }
    return rows.length;
  });
}
