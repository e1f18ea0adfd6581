import '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { decodeJwt } from 'jose';
import type { LookingView } from '../../../../web/src/shown-page.ts';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { csrfField } from '../csrf.ts';

export const endLookingPath = '/admin/looking/end';

const cookieName = '__Host-obol_looking';
/** Longer than any token lives, so that the end of one is noticed. */
const cookieTtlSeconds = 86_400;
const uuidPattern = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

/** Whose account an administrator looks at in this browser, on a session that lives; or did until now. */
export type Looking = { caller: Caller; view: LookingView } | { endedAt: string };

/** Keeps in this browser by which token its administrator looks at an account; without one, forgets it. */
export function sendLookingCookie(reply: FastifyReply, token = ''): void {
  const maxAge = token === '' ? 0 : cookieTtlSeconds;
  reply.setCookie(cookieName, token, { path: '/', maxAge, httpOnly: true, secure: true, sameSite: 'lax' });
}

/**
 * What the person who is signed in at this browser looks at, if at anything. The token is of use to the
 * administrator alone for whom it was made. When it has ended, by time or by either of them, it is forgotten.
 */
export async function findLooking(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  administrator: Caller,
): Promise<Looking | undefined> {
  const token = request.cookies[cookieName] ?? '';
  const lookedAt = readLookedAt(token, administrator);
  if (lookedAt === undefined) return undefined;
  try {
    const { sub, sid, exp, email } = await ctx.keys.verifyAccessToken(token, { impersonation: true });
    // Only tokens of our own name an address, as it was a quarter of an hour ago at most.
    if (email === undefined) throw new AppError('auth.token_invalid');
    const caller = { userId: sub, sessionId: sid };
    await ctx.callers.assert(caller);
    const stop = { action: endLookingPath, hidden: csrfField(ctx, request, reply) };
    const until = new Date(exp * 1000).toISOString();
    return { caller, view: { email, until, stop, isShown: true } };
  } catch (error) {
    if (!(error instanceof AppError) || !/^auth\.(token_invalid|session_ended)$/.test(error.code))
      throw error;
    sendLookingCookie(reply);
    return { endedAt: lookedAt };
  }
}

/** Whom a token says that its administrator looks at; nothing where it was made for somebody else. */
function readLookedAt(token: string, { userId }: Caller): string | undefined {
  try {
    const { sub, act } = decodeJwt<{ act?: { sub?: unknown } }>(token);
    return act?.sub === userId && sub !== undefined && uuidPattern.test(sub) ? sub : undefined;
  } catch {
    return undefined;
  }
}
