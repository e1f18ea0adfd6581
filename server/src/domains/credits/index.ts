export { agreeOnScale, correctScale, readNotedScale, type ScaleDuty } from './agree-on-scale.ts';
export { adjustCreditsOf } from './administration/adjust-credits-of.ts';
export { readDebtOf } from './administration/read-debt-of.ts';
export { readCreditsOf } from './administration/read-credits-of.ts';
export { addCreditAdministrationRoutes } from './administration/routes.ts';
export { type Spender } from './holds/transact-credits.ts';
export { handleHoldJobs } from './holds/handle-hold-jobs.ts';
export { handleRetentionJobs } from './handle-retention-jobs.ts';
export { auditLedger } from './auditor/audit-ledger.ts';
export { handleAuditJobs } from './auditor/handle-audit-jobs.ts';
export { createBalanceReader, type BalanceReader } from './balance-reader.ts';
export { creditsAddress } from './credits-address.ts';
export { changeMandate } from './mandates/change-mandate.ts';
export { createMandate } from './mandates/create-mandate.ts';
export { endMandates } from './mandates/end-mandates.ts';
export { listOwnMandates, readMandate } from './mandates/list-mandates.ts';
export { lockBudget } from './mandates/lock-budget.ts';
export { raisesTerms } from './mandates/raises-terms.ts';
export type { MandateView } from './mandates/schemas.ts';
export { findPurchase, type Purchase } from './find-purchase.ts';
export { listPackages } from './list-packages.ts';
export { listRecentPurchases } from './list-recent-purchases.ts';
export { resolveIdempotencyKey } from './resolve-idempotency-key.ts';
export { openWallet } from './open-wallet.ts';
export { handleBonusJobs } from './handle-bonus-jobs.ts';
export { readBalance, type Balance } from './read-balance.ts';
export { readTrialBalance, type AccountBalance } from './read-trial-balance.ts';
export { addCreditRoutes } from './routes.ts';
export { toCharge, type Charge } from './to-charge.ts';
export type { PackageView } from './schemas.ts';
export { createWalletTurns, type WalletTurns } from './wallet-turns.ts';
export { createSpendQueue, type SpendRequest } from './spend-queue.ts';
export {
  verifyLedger,
  type LedgerFinding,
  type LedgerProgress,
  type LedgerReport,
  type VerifyOptions,
} from './verify-ledger.ts';
