export { configuredProviders } from './configured-providers.ts';
export { createPayments, type Payments, type Verdict } from './create-payments.ts';
export type { Fact, ProviderName } from './facts.ts';
export { handlePaymentJobs } from './handle-payment-jobs.ts';
export type { PaymentProvider, ProviderEvent } from './provider.ts';
export { addPaymentRoutes } from './routes.ts';
export { readExport } from './reconciliation/read-export.ts';
export { reconcilePayments } from './reconciliation/reconcile-payments.ts';
export { countOpen, type Finding, type ReconciliationReport } from './reconciliation/report.ts';
