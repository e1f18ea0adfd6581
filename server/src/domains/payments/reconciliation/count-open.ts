import type { ProviderName } from '../facts.ts';

/** Where something is: at the provider alone, here alone, or on both sides with a difference. */
export type FindingList = 'onlyTheirs' | 'onlyOurs' | 'differing';

/** Something on which a provider and the ledger do not agree, or did not until it was repaired. */
export type Finding = {
  list: FindingList;
  kind: string;
  /** The id at the provider; that of our purchase when there is no payment. */
  id: string;
  purchaseId: string | null;
  reason: string;
  /** Whether it can be put right by applying what the provider says. */
  isSafe: boolean;
  isRepaired: boolean;
  ours: unknown;
  theirs: unknown;
};

/**
 * What came of comparing a provider with the ledger. The counts are of all, the findings the first of them.
 */
export type ReconciliationReport = {
  provider: ProviderName;
  isLive: boolean;
  since: Date;
  startedAt: Date;
  source: 'provider' | 'export';
  repairs: boolean;
  matched: number;
  onlyTheirs: number;
  onlyOurs: number;
  differing: number;
  repaired: number;
  /** What the provider lists and does not concern this service. */
  unrelated: number;
  findings: Finding[];
};

/** Findings that are kept; the counts are of all. */
export const findingsMax = 1000;

/** How many findings are left to somebody. */
export function countOpen(report: Pick<ReconciliationReport, FindingList | 'repaired'>): number {
  return report.onlyTheirs + report.onlyOurs + report.differing - report.repaired;
}
