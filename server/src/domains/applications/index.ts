export {
  createApplicationVerifier,
  type ApplicationVerifier,
  type AuthenticatedApplication,
} from './application-verifier.ts';
export { addApplicationRoutes } from './routes.ts';
