export { addOauthRoutes } from './routes.ts';
