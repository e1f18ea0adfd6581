import { Type } from 'typebox';
import type { App } from '../../app.ts';
import { AppError } from '../../errors.ts';
import { loadBuiltPages } from './built-pages.ts';

const params = Type.Object({ name: Type.String() });

/**
 * `GET /assets/:name`: script, stylesheet and icon of the pages. Their names hold a hash of their content, so
 * browsers may keep them for good. `GET /favicon.ico`, which browsers ask for beside a document that names no
 * icon, leads to it. @see RFC 8246 §2
 */
export function addAssetRoutes(app: App): void {
  app.get('/favicon.ico', { config: { limit: false }, schema: { hide: true } }, async (_request, reply) => {
    const { names } = await loadBuiltPages();
    return reply.header('cache-control', 'public, max-age=3600').redirect(`/assets/${names.icon}`);
  });
  app.get(
    '/assets/:name',
    { config: { limit: false }, schema: { hide: true, params } },
    async (request, reply) => {
      const { assets } = await loadBuiltPages();
      const asset = assets.get(request.params.name);
      if (!asset) throw new AppError('request.not_found');
      const isGzipped = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
      if (isGzipped) reply.header('content-encoding', 'gzip');
      return reply
        .type(asset.type)
        .header('cache-control', 'public, max-age=31536000, immutable')
        .header('vary', 'accept-encoding')
        .send(isGzipped ? asset.gzipped : asset.plain);
    },
  );
}
