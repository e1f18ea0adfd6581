import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { serviceScopes } from '../../../lib/scopes.ts';
import { isApiPath } from './own-resource.ts';
import { resourceMetadataSchema } from './schemas.ts';

const metadataPath = '/.well-known/oauth-protected-resource';

/**
 * Tells a client that knows no more than an address of the API who gives out tokens for it. Each address of
 * the API has its own document, which names that very address. @see RFC 9728 §3
 */
export function addProtectedResourceRoutes(app: App, { config }: Ctx): void {
  const describe = (resource: string) => ({
    resource,
    authorization_servers: [config.baseUrl],
    jwks_uri: `${config.baseUrl}/.well-known/jwks.json`,
    scopes_supported: [...serviceScopes],
    bearer_methods_supported: ['header'],
    resource_name: 'Obol',
    resource_documentation: `${config.baseUrl}/docs`,
  });
  const response = { 200: resourceMetadataSchema };
  const summary = 'Who gives out tokens for this API';
  app.get(metadataPath, { schema: { tags: ['auth'], summary, response } }, (_request, reply) => {
    reply.header('cache-control', 'public, max-age=300');
    return describe(config.baseUrl);
  });
  app.get(`${metadataPath}/*`, { schema: { hide: true, response } }, (request, reply) => {
    const path = (request.url.split('?')[0] ?? '').slice(metadataPath.length);
    if (!isApiPath(path)) throw new AppError('request.not_found');
    reply.header('cache-control', 'public, max-age=300');
    return describe(`${config.baseUrl}${path}`);
  });
}
