export type { Resolve } from './delivery/find-addresses.ts';
export { handleWebhookJobs } from './delivery/handle-webhook-jobs.ts';
export { addWebhookRoutes } from './routes.ts';
