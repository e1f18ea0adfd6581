export { configuredProviders } from './configured-providers.ts';
export { createPayments, type Payments, type Verdict } from './create-payments.ts';
export type { Fact, ProviderName } from './facts.ts';
export { handlePaymentJobs } from './handle-payment-jobs.ts';
export type { PaymentProvider, ProviderEvent } from './provider.ts';
export { addCreditsPages } from './pages/routes.ts';
export { addPaymentRoutes } from './routes.ts';
