import '@fastify/cookie';
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Ctx } from '../ctx.ts';
import { AppError } from '../errors.ts';

const cookieName = '__Host-obol_csrf';
/** The member of a form that carries its token. */
export const csrfFieldName = 'csrf';
const seedBytes = 32;
/** Of requests that came without one: all forms of an answer have the same. */
const newSeeds = new WeakMap<FastifyRequest, string>();
const seedPattern = /^[A-Za-z0-9_-]{43}$/;

/**
 * The token that a form has to bring back, bound to this browser by a cookie which another site can neither
 * read nor set, nor a sibling subdomain. Sets the cookie when there is none; the same browser gets the same
 * token.
 * @see OWASP Cross-Site Request Forgery Prevention, "Signed Double-Submit Cookie"
 */
function csrfTokenFor(ctx: Ctx, request: FastifyRequest, reply: FastifyReply): string {
  const known = seedOf(request) ?? newSeeds.get(request);
  if (known !== undefined) return tokenOf(ctx, known);
  const seed = ctx.random.bytes(seedBytes).toString('base64url');
  newSeeds.set(request, seed);
  reply.setCookie(cookieName, seed, { path: '/', httpOnly: true, secure: true, sameSite: 'lax' });
  return tokenOf(ctx, seed);
}

/** The hidden field that carries the token. */
export function csrfField(ctx: Ctx, request: FastifyRequest, reply: FastifyReply): Record<string, string> {
  return { [csrfFieldName]: csrfTokenFor(ctx, request, reply) };
}

/**
 * A preHandler for what a page posts: the form must bring the token of this browser. Throws
 * `request.csrf`.
 */
export function requireCsrfToken(ctx: Ctx): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    const seed = seedOf(request);
    const given = (request.body as Record<string, unknown> | undefined)?.[csrfFieldName];
    if (seed === undefined || typeof given !== 'string') throw new AppError('request.csrf');
    const [expected, actual] = [Buffer.from(tokenOf(ctx, seed)), Buffer.from(given)];
    if (expected.length !== actual.length || !timingSafeEqual(expected, actual))
      throw new AppError('request.csrf');
  };
}

function seedOf(request: FastifyRequest): string | undefined {
  const seed = request.cookies[cookieName];
  return seed !== undefined && seedPattern.test(seed) ? seed : undefined;
}

function tokenOf({ config }: Ctx, seed: string): string {
  return createHmac('sha256', config.secret).update(`csrf ${seed}`).digest('base64url');
}
