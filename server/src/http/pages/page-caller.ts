import type { FastifyReply, FastifyRequest } from 'fastify';
import type { LookingView } from '../../../../web/src/shown-page.ts';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { findBrowserCaller } from '../../domains/auth/index.ts';
import { AppError } from '../../errors.ts';
import { csrfField } from '../csrf.ts';
import { readSignInCookie } from '../sign-in-cookie.ts';
import { findLookedAt, sendLookingCookie } from './looking.ts';
import { signInUrl } from './sign-in-url.ts';

export const stepUpPath = '/account/step-up';
export const connectedPath = '/account/connected';
export const peoplePath = '/admin/people';
export const endLookingPath = '/admin/looking/end';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set where the page that is shown is of somebody whose account an administrator looks at. */
    looking: LookingView | null;
  }
}

/** What a page does for who it is shown to, and where they come back to from signing in. */
export type PageWork = { next: string; work: (caller: Caller) => Promise<FastifyReply> };

/** Who is signed in at the browser that opens a page, if anybody is. */
export function findPageCaller(ctx: Ctx, request: FastifyRequest): Promise<Caller | undefined> {
  return findBrowserCaller(ctx, readSignInCookie(ctx.config, request));
}

/**
 * Who is signed in at the browser that sends a form. Throws `auth.session_ended`, and
 * `auth.impersonation_forbidden` while they look at the account of somebody else.
 */
export async function requirePageCaller(ctx: Ctx, request: FastifyRequest): Promise<Caller> {
  const caller = await findPageCaller(ctx, request);
  if (!caller) throw new AppError('auth.session_ended');
  if (await findLookedAt(ctx, request, caller)) throw new AppError('auth.impersonation_forbidden');
  return caller;
}

/**
 * Runs what a page does for who is signed in at this browser. Others are sent to sign in, and who has not
 * shown lately that it is them to where they do; both come back to `next`. Throws
 * `auth.impersonation_forbidden` while they look at the account of somebody else.
 */
export async function forPageCaller(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  { next, work }: PageWork,
): Promise<FastifyReply> {
  return forPageOwner(ctx, request, reply, {
    next,
    work: async (caller) => {
      const lookedAt = await findLookedAt(ctx, request, caller);
      if (!lookedAt) return work(caller);
      request.looking = toLookingView(ctx, request, reply, lookedAt.until);
      throw new AppError('auth.impersonation_forbidden');
    },
  });
}

/**
 * The same for a page that is only read: while an administrator looks at the account of somebody else, it is
 * theirs. When that has ended meanwhile, the browser is led away from it.
 */
export async function forPageReader(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  { next, work }: PageWork,
): Promise<FastifyReply> {
  return forPageOwner(ctx, request, reply, {
    next,
    work: async (caller) => {
      const lookedAt = await findLookedAt(ctx, request, caller);
      if (!lookedAt) return work(caller);
      request.looking = toLookingView(ctx, request, reply, lookedAt.until);
      try {
        return await work(lookedAt.caller);
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'auth.session_ended') throw error;
        sendLookingCookie(reply);
        return reply.redirect(`${peoplePath}/${lookedAt.caller.userId}?done=looking-ended`, 303);
      }
    },
  });
}

/** The same for a page that is of who is signed in, whatever they look at. */
export async function forPageOwner(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  { next, work }: PageWork,
): Promise<FastifyReply> {
  const caller = await findPageCaller(ctx, request);
  if (!caller) return reply.redirect(signInUrl(next), 303);
  try {
    return await work(caller);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'auth.step_up_required') throw error;
    return reply.redirect(`${stepUpPath}?${new URLSearchParams({ next }).toString()}`, 303);
  }
}

function toLookingView(ctx: Ctx, request: FastifyRequest, reply: FastifyReply, until: Date): LookingView {
  const stop = { action: endLookingPath, hidden: csrfField(ctx, request, reply) };
  return { until: until.toISOString(), stop };
}
