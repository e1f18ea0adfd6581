import { and, desc, eq } from 'drizzle-orm';
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
/** So many runs back a gap is looked for: some months of nights. */
const runsMax = 100;

/** Names who compares providers with the ledger every night, and who tells administrators of what is left. */
export function handleReconciliationJobs(ctx: Ctx): void {
  const open = new Map<string, number>();
  ctx.metrics.observe(
    'obol_payments_unreconciled',
    'Differences between providers and the ledger that the last comparison of this process left to somebody',
    () => [...open.values()].reduce((sum, count) => sum + count, 0),
  );
  ctx.jobs.handle('reconcile-payments', async () => {
    // A provider that does not answer holds up no other; the job is tried again for it.
    const failures: unknown[] = [];
    for (const provider of ctx.payments.providers) {
      await compare(ctx, provider).then(
        (count) => open.set(provider.name, count),
        (error: unknown) => failures.push(error),
      );
    }
    if (failures.length > 0) throw failures[0];
  });
  ctx.jobs.handle('send-reconciliation-mail', ({ email, reconciliationId }) =>
    sendReconciliationMail(ctx, { email, reconciliationId }),
  );
}

/** Compares a provider with the ledger, and repairs what is safe. How much is left to somebody. */
async function compare(ctx: Ctx, provider: PaymentProvider): Promise<number> {
  const since = await findSince(ctx, provider);
  return countOpen(await reconcilePayments(ctx, { provider, since, repairs: true }));
}

/**
 * From when on to compare: from before the end of what runs have covered without a gap, which they should
 * have done for thirty days. A run covers what lies between its `since` and its start, if it repaired what
 * the provider itself listed, in the mode of today.
 */
async function findSince(ctx: Ctx, { name, isLive }: PaymentProvider): Promise<Date> {
  const { provider, source, repairs, startedAt, since } = reconciliations;
  const covers = and(
    eq(provider, name),
    eq(reconciliations.isLive, isLive),
    eq(source, 'provider'),
    eq(repairs, true),
  );
  const runs = await ctx.db.asService((tx) =>
    tx
      .select({ startedAt, since })
      .from(reconciliations)
      .where(covers)
      .orderBy(desc(startedAt))
      .limit(runsMax),
  );
  const first = new Date(ctx.clock.now().getTime() - firstMs + overlapMs);
  let coveredUntil = first;
  let coveredSince = Number.POSITIVE_INFINITY;
  for (const run of [...runs, { startedAt: first, since: first }]) {
    if (run.startedAt.getTime() < coveredSince) coveredUntil = run.startedAt;
    coveredSince = Math.min(coveredSince, run.since.getTime());
  }
  return new Date(coveredUntil.getTime() - overlapMs);
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
