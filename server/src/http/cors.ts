import cors, { type FastifyCorsOptions } from '@fastify/cors';
import type { FastifyRequest } from 'fastify';
import type { App } from '../app.ts';
import type { Config } from '../config.ts';

/** Paths that any page may call; no cookie is taken there, so nothing can be done in a visitor's name. */
const openPaths = ['/api/v1/oauth/', '/oauth/', '/userinfo', '/.well-known/'];

const shared: FastifyCorsOptions = {
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  exposedHeaders: [
    'X-Request-Id',
    'X-Total-Count',
    'Link',
    'RateLimit',
    'RateLimit-Policy',
    'Retry-After',
    'Idempotency-Replayed',
    'WWW-Authenticate',
  ],
  maxAge: 3600,
  strictPreflight: false,
};

/** The origins whose pages may call the service with cookies: CORS_ORIGINS and that of FRONTEND_URL. */
export function allowedOrigins(config: Config): Set<string> {
  const { corsOrigins, frontendUrl } = config;
  return new Set(frontendUrl ? [...corsOrigins, new URL(frontendUrl).origin] : corsOrigins);
}

/** Whether a page of the `Origin` of this request may read the answer. */
export function isCorsAllowed(request: FastifyRequest, origins: Set<string>): boolean {
  const { origin } = request.headers;
  return origin !== undefined && (origins.has(origin) || isOpen(request));
}

/** Installs CORS; open paths are open to all origins but without cookies. @see Fetch standard §3.2 */
export async function installCors(app: App, origins: Set<string>): Promise<void> {
  await app.register(cors, {
    delegator: (request: FastifyRequest, done) => {
      const { origin } = request.headers;
      if (isOpen(request)) done(null, { ...shared, origin: '*' });
      else if (origin !== undefined && origins.has(origin))
        done(null, { ...shared, origin, credentials: true });
      else done(null, { origin: false });
    },
  });
}

function isOpen(request: FastifyRequest): boolean {
  return openPaths.some((path) => request.url.startsWith(path));
}
