import { desc, eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { reconciliationMail } from '../../../mail/reversal-templates.ts';
import type { PaymentProvider } from '../payment-provider.ts';
import { reconciliations } from '../tables.ts';
import { reconcilePayments } from './reconcile-payments.ts';
import { countOpen } from './count-open.ts';

const dayMs = 86_400_000;
/** Each run begins earlier than the one before it did, since things change after they are listed. */
const overlapMs = 3 * dayMs;
const firstMs = 30 * dayMs;

/** Names who compares providers with the ledger every night, and who tells administrators of what is left. */
export function handleReconciliationJobs(ctx: Ctx): void {
  const open = new Map<string, number>();
  ctx.metrics.observe(
    'obol_payments_unreconciled',
    'Differences between providers and the ledger that the last comparison of this process left to somebody',
    () => [...open.values()].reduce((sum, count) => sum + count, 0),
  );
  ctx.jobs.handle('reconcile-payments', async () => {
    const compare = async (provider: PaymentProvider): Promise<void> => {
      const since = await findSince(ctx, provider);
      const report = await reconcilePayments(ctx, { provider, since, repairs: true });
      open.set(provider.name, countOpen(report));
    };
    // A provider that does not answer holds up no other; the job is tried again for it.
    const failures: unknown[] = [];
    for (const provider of ctx.payments.providers)
      await compare(provider).catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  });
  ctx.jobs.handle('send-reconciliation-mail', ({ email, reconciliationId }) =>
    sendReconciliationMail(ctx, { email, reconciliationId }),
  );
}

/** From when on to compare: from before the last run on, or the last thirty days. */
async function findSince(ctx: Ctx, { name }: PaymentProvider): Promise<Date> {
  const [last] = await ctx.db.asService((tx) =>
    tx
      .select({ startedAt: reconciliations.startedAt })
      .from(reconciliations)
      .where(eq(reconciliations.provider, name))
      .orderBy(desc(reconciliations.startedAt))
      .limit(1),
  );
  const now = ctx.clock.now().getTime();
  return new Date(last ? last.startedAt.getTime() - overlapMs : now - firstMs);
}

/** Job: tells an administrator of what a comparison has left. Rejects when the mail was not taken. */
async function sendReconciliationMail(
  ctx: Ctx,
  { email, reconciliationId }: { email: string; reconciliationId: string },
): Promise<void> {
  const [found] = await ctx.db.asService((tx) =>
    tx.select().from(reconciliations).where(eq(reconciliations.id, reconciliationId)),
  );
  if (!found) return;
  const { provider, since, onlyTheirs, onlyOurs, differing } = found;
  const counts = { onlyTheirs, onlyOurs, differing, open: countOpen(found) };
  await ctx.mail.send(reconciliationMail({ to: email, provider, since, counts }));
}
