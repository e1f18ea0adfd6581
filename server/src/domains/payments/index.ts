export { configuredProviders } from './configured-providers.ts';
export { createPayments, type Payments, type Verdict } from './create-payments.ts';
export type { Fact, ProviderName } from './facts.ts';
export { addSavedCardRoutes } from './top-ups/routes.ts';
export { handlePaymentJobs } from './handle-payment-jobs.ts';
export type { PaymentProvider, ProviderEvent } from './provider.ts';
export { addPaymentRoutes } from './routes.ts';
