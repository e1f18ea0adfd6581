import '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';

const cookieName = '__Host-obol_upstream';
const maxAgeSeconds = 600;
const valuePattern = /^[A-Za-z0-9_-]{43}$/;

/**
 * Sends the cookie that binds a sign-in at another provider to this browser. A provider that comes back with
 * a form does so across sites, where SameSite=Lax would keep the cookie back; its value alone opens nothing.
 * @see RFC 6749 §10.12, RFC 6265bis §5.6.7.1
 */
export function sendUpstreamCookie(
  reply: FastifyReply,
  { browser, isFormPost }: { browser: string; isFormPost: boolean },
): void {
  reply.setCookie(cookieName, browser, {
    path: '/',
    maxAge: maxAgeSeconds,
    httpOnly: true,
    secure: true,
    sameSite: isFormPost ? 'none' : 'lax',
  });
}

/** What the cookie of this browser says, if it is one of ours. */
export function readUpstreamCookie(request: FastifyRequest): string | undefined {
  const value = request.cookies[cookieName];
  return value !== undefined && valuePattern.test(value) ? value : undefined;
}
