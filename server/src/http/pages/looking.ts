import '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { AppError } from '../../errors.ts';

const cookieName = '__Host-obol_looking';

/** Whose account an administrator looks at, on which session, and until when. */
export type LookedAt = { caller: Caller; until: Date };

/**
 * Keeps in this browser by which token its administrator looks at somebody's account; without one, forgets
 * it. No other site can make the browser bring it along.
 */
export function sendLookingCookie(
  reply: FastifyReply,
  { token, ttlSeconds }: { token: string; ttlSeconds: number } = { token: '', ttlSeconds: 0 },
): void {
  const options = {
    path: '/',
    maxAge: ttlSeconds,
    httpOnly: true,
    secure: true,
    sameSite: 'strict',
  } as const;
  reply.setCookie(cookieName, token, options);
}

/**
 * Whose account the person who is signed in at this browser looks at, if anybody's. The token is of use to
 * that administrator alone, and whether its session still lives is asked by the SQL that does the work.
 */
export async function findLookedAt(
  ctx: Ctx,
  request: FastifyRequest,
  administrator: Caller,
): Promise<LookedAt | undefined> {
  const token = request.cookies[cookieName];
  if (token === undefined || token === '') return undefined;
  try {
    const { sub, sid, act, exp } = await ctx.keys.verifyAccessToken(token, { impersonation: true });
    if (act?.sub !== administrator.userId) return undefined;
    return { caller: { userId: sub, sessionId: sid }, until: new Date(exp * 1000) };
  } catch (error) {
    if (error instanceof AppError && error.code === 'auth.token_invalid') return undefined;
    throw error;
  }
}
