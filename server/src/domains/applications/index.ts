export {
  createApplicationVerifier,
  type ApplicationVerifier,
  type AuthenticatedApplication,
} from './application-verifier.ts';
export { requireAdmin } from './require-admin.ts';
export { addApplicationRoutes } from './routes.ts';
