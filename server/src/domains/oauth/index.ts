export { addProtectedResourceRoutes } from './protected-resource/routes.ts';
export { addOauthRoutes } from './routes.ts';
