import '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';
import { allowedOrigins } from './cors.ts';

/**
 * The sign-in cookie. `__Host-` binds it to this host; with COOKIE_DOMAIN it is shared with sibling
 * subdomains, which the `__Host-` prefix forbids. @see RFC 6265bis §4.1.3
 */
function signInCookieName(config: Config): string {
  return config.cookieDomain === '' ? '__Host-obol_session' : '__Secure-obol_session';
}

/** Sends the cookie; without a value it removes it. */
export function sendSignInCookie(
  config: Config,
  reply: FastifyReply,
  cookie: { value: string; ttlSeconds: number } = { value: '', ttlSeconds: 0 },
): void {
  reply.setCookie(signInCookieName(config), cookie.value, {
    path: '/',
    ...(config.cookieDomain === '' ? {} : { domain: config.cookieDomain }),
    maxAge: cookie.ttlSeconds,
    httpOnly: true,
    secure: true,
    sameSite: 'lax',
  });
}

/** The value of the sign-in cookie, if the request brings one. */
export function readSignInCookie(config: Config, request: FastifyRequest): string | undefined {
  return request.cookies[signInCookieName(config)];
}

/**
 * A preHandler for calls that the cookie authenticates: SameSite keeps other sites out, but not a page on a
 * sibling subdomain. A browser names the page's origin, which must be ours or one that CORS allows; a caller
 * without an `Origin` must send JSON, which no form can. Throws `auth.origin_not_allowed`.
 * @see OWASP Cross-Site Request Forgery Prevention, "Identifying Source Origin"
 */
export function requireCookieOrigin(config: Config): (request: FastifyRequest) => Promise<void> {
  const allowed = allowedOrigins(config);
  for (const own of [config.baseUrl, config.appUrl]) allowed.add(new URL(own).origin);
  return async (request) => {
    const { origin } = request.headers;
    const isJson = /^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '');
    if (origin === undefined ? isJson : allowed.has(origin)) return;
    throw new AppError('auth.origin_not_allowed');
  };
}
