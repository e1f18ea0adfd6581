export { addProtectedResourceRoutes } from './protected-resource/routes.ts';
export { addOauthRoutes } from './routes.ts';
export { handleOauthJobs } from './jobs/handle-oauth-jobs.ts';
