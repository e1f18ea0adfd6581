import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../app.ts';
import type { Config } from '../config.ts';

/** What a page may load; answers that are data load nothing. */
const dataPolicy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const hstsMaxAgeSeconds = 31_536_000;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The Content-Security-Policy of a page, instead of the one for data that allows nothing. */
    contentSecurityPolicy?: string;
    /** The handler hijacks the reply: other code writes the raw response, which gets the headers too. */
    writesRaw?: boolean;
  }
  interface FastifyInstance {
    standardHeaders: Record<string, string>;
  }
}

/**
 * Sets on every response, errors included, `X-Request-Id` and the headers that keep browsers from doing more
 * with it than asked. Answers are not stored unless a route says so. A table instead of a library, which
 * builds the same headers anew for each request. @see OWASP REST Security Cheat Sheet, RFC 9111 §5.2.2.5
 */
export function installHeaders(app: App, config: Config): void {
  app.decorate('standardHeaders', standardHeaders(config));
  app.addHook('onRequest', (request, reply, done) => {
    setStandardHeaders(request, reply);
    done();
  });
  app.addHook('onRoute', (route) => {
    if (route.config?.writesRaw) route.preHandler = [...[route.preHandler ?? []].flat(), copyHeadersToRaw];
  });
}

async function copyHeadersToRaw(_request: FastifyRequest, reply: FastifyReply): Promise<void> {
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) reply.raw.setHeader(name, value);
  }
}

/** Also for answers that no hook sees, such as that to a malformed address. */
export function setStandardHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.headers(request.server.standardHeaders).header('x-request-id', request.id);
  const policy = request.routeOptions.config.contentSecurityPolicy;
  if (policy) reply.header('content-security-policy', policy);
}

function standardHeaders(config: Config): Record<string, string> {
  return {
    'cache-control': 'no-store',
    'content-security-policy': dataPolicy,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    ...(config.baseUrl.startsWith('https:')
      ? { 'strict-transport-security': `max-age=${hstsMaxAgeSeconds}; includeSubDomains` }
      : {}),
  };
}
