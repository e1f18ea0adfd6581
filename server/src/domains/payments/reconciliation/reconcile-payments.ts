import type { Ctx } from '../../../ctx.ts';
import { captureRuleOf } from '../capture-rule.ts';
import type { Fact } from '../fact.ts';
import type { PaymentProvider } from '../payment-provider.ts';
import { compareFacts, keyOf, type Comparison } from './compare-facts.ts';
import { findUnlisted } from './find-unlisted.ts';
import { findingsMax, type Finding, type ReconciliationReport } from './count-open.ts';
import { saveReconciliation } from './save-reconciliation.ts';

export type ReconciliationOptions = {
  provider: PaymentProvider;
  since: Date;
  /** Applies what is safe; otherwise nothing is changed. */
  repairs: boolean;
  /** What the provider says, in place of asking it. */
  listed?: AsyncIterable<Fact[]>;
};

type Run = ReconciliationOptions & {
  report: ReconciliationReport;
  seen: Set<string>;
  newPayments: Set<string>;
};

/**
 * Compares what a provider lists with the ledger: what agrees, what is only theirs, only ours, or different.
 * What is safe is put right by applying the provider's facts, as a webhook would have, and compared once
 * more. The outcome is kept, noted in the audit trail, and mailed to administrators when something is left.
 * Throws `payments.provider_unavailable`, `payments.provider_refused`.
 */
export async function reconcilePayments(
  ctx: Ctx,
  options: ReconciliationOptions,
): Promise<ReconciliationReport> {
  const { provider, since, repairs } = options;
  const report: ReconciliationReport = {
    provider: provider.name,
    isLive: provider.isLive,
    since,
    startedAt: ctx.clock.now(),
    source: options.listed ? 'export' : 'provider',
    repairs,
    matched: 0,
    onlyTheirs: 0,
    onlyOurs: 0,
    differing: 0,
    repaired: 0,
    unrelated: 0,
    findings: [],
  };
  const run: Run = { ...options, report, seen: new Set(), newPayments: new Set() };
  for await (const facts of options.listed ?? provider.listFacts(since)) await comparePage(ctx, run, facts);
  const unlisted = findUnlisted(ctx, { ...run, until: report.startedAt });
  for await (const found of unlisted) {
    if (found === 'matched') report.matched += 1;
    else addFinding(report, found);
  }
  await saveReconciliation(ctx, report);
  return report;
}

/** Compares a page of facts, repairs what is safe, and notes the rest. */
async function comparePage(ctx: Ctx, run: Run, page: Fact[]): Promise<void> {
  const facts = page.filter(({ kind }) => kind !== 'fraud_warning');
  for (const fact of facts) run.seen.add(keyOf(fact));
  const compared = await compareFacts(ctx, run.provider, facts, run.newPayments);
  for (const { fact, isSafe } of compared) {
    const isPayment = fact.kind === 'checkout' || fact.kind === 'invoice';
    if (isSafe && isPayment && fact.paymentId !== null) run.newPayments.add(fact.paymentId);
  }
  // A refund in the same page may be of a payment that is new in it.
  const again = await recompare(ctx, run, compared);
  const wrong = again.filter(({ list }) => list !== 'matched' && list !== 'unrelated');
  run.report.matched += again.filter(({ list }) => list === 'matched').length;
  run.report.unrelated += again.filter(({ list }) => list === 'unrelated').length;
  const repaired = run.repairs ? await repair(ctx, run, wrong) : new Set<string>();
  for (const comparison of await dropPassing(ctx, run, wrong)) {
    addFinding(run.report, toFinding(comparison, repaired.has(keyOf(comparison.fact))));
  }
}

async function recompare(ctx: Ctx, run: Run, compared: Comparison[]): Promise<Comparison[]> {
  const doubtful = compared.filter(
    ({ fact, list }) =>
      list === 'unrelated' &&
      (fact.kind === 'refund' || fact.kind === 'dispute') &&
      run.newPayments.has(fact.paymentId),
  );
  const again = await compareFacts(
    ctx,
    run.provider,
    doubtful.map(({ fact }) => fact),
    run.newPayments,
  );
  const better = new Map(again.map((comparison) => [comparison.fact, comparison]));
  return compared.map((comparison) => better.get(comparison.fact) ?? comparison);
}

/** Applies what is safe. Returns the keys of what agrees afterwards. */
async function repair(ctx: Ctx, { provider, newPayments }: Run, wrong: Comparison[]): Promise<Set<string>> {
  const facts = wrong.filter(({ isSafe }) => isSafe).map(({ fact }) => fact);
  await ctx.payments.applyFacts(provider, facts);
  const after = await compareFacts(ctx, provider, facts, newPayments);
  return new Set(after.filter(({ list }) => list === 'matched').map(({ fact }) => keyOf(fact)));
}

/** Without what only seemed to differ, since a webhook came in between the list and the comparison. */
async function dropPassing(ctx: Ctx, { provider, listed }: Run, wrong: Comparison[]): Promise<Comparison[]> {
  const kept: Comparison[] = [];
  for (const comparison of wrong) {
    const { fact, reason } = comparison;
    if (reason === 'ahead' && fact.kind === 'checkout' && !listed) {
      const now = await provider.readCheckout(fact.checkoutId, captureRuleOf(ctx, provider));
      const [again] = now ? await compareFacts(ctx, provider, [now], []) : [];
      if (again?.list === 'matched') continue;
    }
    kept.push(comparison);
  }
  return kept;
}

function toFinding(
  { fact, list, reason, isSafe, purchaseId, ours }: Comparison,
  isRepaired: boolean,
): Finding {
  return {
    list: list === 'onlyTheirs' ? 'onlyTheirs' : 'differing',
    kind: fact.kind,
    id: keyOf(fact).slice(keyOf(fact).indexOf(':') + 1),
    purchaseId,
    reason,
    isSafe,
    isRepaired,
    ours,
    theirs: fact,
  };
}

function addFinding(report: ReconciliationReport, finding: Finding): void {
  report[finding.list] += 1;
  if (finding.isRepaired) report.repaired += 1;
  if (report.findings.length < findingsMax) report.findings.push(finding);
}
