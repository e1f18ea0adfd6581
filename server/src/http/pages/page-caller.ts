import type { FastifyReply, FastifyRequest } from 'fastify';
import type { LookingView } from '../../../../web/src/shown-page.ts';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { findBrowserCaller } from '../../domains/auth/index.ts';
import { AppError } from '../../errors.ts';
import { readSignInCookie } from '../sign-in-cookie.ts';
import { findLooking, sendLookingCookie, type Looking } from './looking.ts';
import { signInUrl } from './sign-in-url.ts';

export const stepUpPath = '/account/step-up';
export const connectedPath = '/account/connected';
export const peoplePath = '/admin/people';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the administrator at this browser looks at, for the banner of the page. */
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
export async function requirePageCaller(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Caller> {
  const caller = await findPageCaller(ctx, request);
  if (!caller) throw new AppError('auth.session_ended');
  assertNotLooking(request, await findLooking(ctx, request, reply, caller));
  return caller;
}

/**
 * Runs what a page does for who is signed in at this browser. Others are sent to sign in, and who has not
 * shown lately that it is them to where they do; both come back to `next`. Throws
 * `auth.impersonation_forbidden` while they look at the account of somebody else.
 */
export function forPageCaller(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  { next, work }: PageWork,
): Promise<FastifyReply> {
  return forSignedIn(ctx, request, reply, {
    next,
    work: async (caller, looking) => {
      assertNotLooking(request, looking);
      return work(caller);
    },
  });
}

/**
 * The same for a page that is only read: while an administrator looks at the account of somebody else, it is
 * theirs. When that is over, the browser is led away once, so that nobody takes their own account for it.
 */
export function forPageReader(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  { next, work }: PageWork,
): Promise<FastifyReply> {
  return forSignedIn(ctx, request, reply, {
    next,
    work: async (caller, looking) => {
      if (!looking) return work(caller);
      if ('endedAt' in looking) return leadAway(reply, looking.endedAt);
      request.looking = looking.view;
      try {
        return await work(looking.caller);
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'auth.session_ended') throw error;
        sendLookingCookie(reply);
        return leadAway(reply, looking.caller.userId);
      }
    },
  });
}

/** To the page of the person who was looked at. */
function leadAway(reply: FastifyReply, userId: string): FastifyReply {
  return reply.redirect(`${peoplePath}/${userId}?done=looking-ended`, 303);
}

/** The same for a page of administrators, which is their own whatever they look at besides. */
export function forAdministrator(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  { next, work }: PageWork,
): Promise<FastifyReply> {
  return forSignedIn(ctx, request, reply, {
    next,
    work: async (caller, looking) => {
      if (looking && 'view' in looking) request.looking = { ...looking.view, isShown: false };
      return work(caller);
    },
  });
}

/** What all of them do; `work` is told what the caller looks at. */
async function forSignedIn(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  { next, work }: { next: string; work: (caller: Caller, looking?: Looking) => Promise<FastifyReply> },
): Promise<FastifyReply> {
  const caller = await findPageCaller(ctx, request);
  if (!caller) return reply.redirect(signInUrl(next), 303);
  try {
    return await work(caller, await findLooking(ctx, request, reply, caller));
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'auth.step_up_required') throw error;
    return reply.redirect(`${stepUpPath}?${new URLSearchParams({ next }).toString()}`, 303);
  }
}

/** A form is refused once more when that has just ended: it may be from a page of the other account. */
function assertNotLooking(request: FastifyRequest, looking: Looking | undefined): void {
  if (!looking || ('endedAt' in looking && request.method === 'GET')) return;
  if ('view' in looking) request.looking = looking.view;
  throw new AppError('auth.impersonation_forbidden');
}
