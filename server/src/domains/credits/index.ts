export { openWallet } from './open-wallet.ts';
export { readBalance, type Balance } from './read-balance.ts';
export { readTrialBalance, type AccountBalance } from './read-trial-balance.ts';
export { addCreditRoutes } from './routes.ts';
export { verifyLedger, type LedgerFinding, type LedgerReport } from './verify-ledger.ts';
