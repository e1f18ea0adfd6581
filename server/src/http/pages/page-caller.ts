import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { findBrowserCaller } from '../../domains/auth/index.ts';
import { AppError } from '../../errors.ts';
import { readSignInCookie } from '../sign-in-cookie.ts';
import { signInUrl } from './sign-in-url.ts';

export const stepUpPath = '/account/step-up';
export const connectedPath = '/account/connected';

/** Who is signed in at the browser that opens a page, if anybody is. */
export function findPageCaller(ctx: Ctx, request: FastifyRequest): Promise<Caller | undefined> {
  return findBrowserCaller(ctx, readSignInCookie(ctx.config, request));
}

/** Who is signed in at the browser that sends a form. Throws `auth.session_ended`. */
export async function requirePageCaller(ctx: Ctx, request: FastifyRequest): Promise<Caller> {
  const caller = await findPageCaller(ctx, request);
  if (!caller) throw new AppError('auth.session_ended');
  return caller;
}

/**
 * Runs what a page does for who is signed in at this browser. Others are sent to sign in, and who has not
 * shown lately that it is them to where they do; both come back to `next`.
 */
export async function forPageCaller(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  { next, work }: { next: string; work: (caller: Caller) => Promise<FastifyReply> },
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
