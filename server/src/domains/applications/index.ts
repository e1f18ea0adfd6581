export {
  createApplicationVerifier,
  findSecret,
  type ApplicationVerifier,
  type AuthenticatedApplication,
  type LiveSecret,
} from './application-verifier.ts';
export { handleAccessJobs } from './access-requests/handle-access-jobs.ts';
export { listRequests } from './access-requests/list-requests.ts';
export { requestAccess } from './access-requests/request-access.ts';
export { addAccessRequestRoutes } from './access-requests/routes.ts';
export { textPattern } from './access-requests/schemas.ts';
export { endAccess } from './end-access.ts';
export { enterApplication, findRole, type Entry } from './enter-application.ts';
export { findClient, findClientById, readApplicationDocument } from './find-client.ts';
export { findApi, mayCall, type Api } from './find-api.ts';
export { addGrantPages } from './grant-pages/routes.ts';
export { addGrantRoutes } from './grants/routes.ts';
export { recordConsent, type Consent } from './record-consent.ts';
export { registerClient, type SelfDescription } from './register-client.ts';
export { firstKeptDay } from './first-kept-day.ts';
export { removeUnusedClients } from './remove-unused-clients.ts';
export { addRequestPages } from './request-pages/routes.ts';
export { requireAdmin } from './require-admin.ts';
export { addApplicationRoutes } from './routes.ts';
export type { Application } from './to-application-object.ts';
