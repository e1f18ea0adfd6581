export { createApiKeyVerifier, type ApiKeyVerifier, type KeyHolder } from './api-key-verifier.ts';
export { handleApiKeyJobs } from './handle-api-key-jobs.ts';
export { addApiKeyPages } from './pages/routes.ts';
export { addApiKeyRoutes } from './routes.ts';
