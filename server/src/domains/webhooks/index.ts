export { handleWebhookJobs } from './delivery/handle-webhook-jobs.ts';
export { addWebhookRoutes } from './routes.ts';
