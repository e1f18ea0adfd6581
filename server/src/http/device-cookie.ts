import '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Ctx } from '../ctx.ts';
import { newOpaqueToken } from '../lib/secrets.ts';

/** Bound to this host also where COOKIE_DOMAIN shares the sign-in: people sign in here. */
const cookieName = '__Host-obol_device';
const pattern = /^[\w-]{43}$/;
/** As long as browsers keep a cookie at all. @see RFC 6265bis §5.5 */
const ttlSeconds = 400 * 86_400;

/** What this browser is recognised by, if it has signed in here before. Nobody is signed in by it. */
export function readDeviceCookie(request: FastifyRequest): string | undefined {
  const value = request.cookies[cookieName];
  return value !== undefined && pattern.test(value) ? value : undefined;
}

/**
 * Gives this browser something to be recognised by when somebody signs in with it again; for the answer to
 * it too. Counts once a sign-in has succeeded with it.
 */
export function markDevice(ctx: Ctx, request: FastifyRequest, reply: FastifyReply): void {
  const value = readDeviceCookie(request) ?? newOpaqueToken(ctx.random);
  request.cookies[cookieName] = value;
  reply.setCookie(cookieName, value, {
    path: '/',
    maxAge: ttlSeconds,
    httpOnly: true,
    secure: true,
    sameSite: 'lax',
  });
}
