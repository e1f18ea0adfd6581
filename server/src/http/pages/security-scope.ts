import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Problem } from '../../../../web/src/page.ts';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { findBrowserCaller } from '../../domains/auth/index.ts';
import { AppError } from '../../errors.ts';
import { readSignInCookie } from '../sign-in-cookie.ts';

export const securityPath = '/account/security';
export const stepUpPath = '/account/step-up';

const interaction = /^\/interaction\/[\w-]{1,100}$/;
const mendable =
  /^(auth\.(password_wrong|code_wrong|passkey_invalid|passkey_exists|factor_active|factor_missing)|server\.busy|request\.rate_limited)$/;

/** The way to an application that somebody was on, if the page was opened from there. */
export function interactionOf(request: FastifyRequest): string | null {
  const { next } = request.query as { next?: string };
  return next !== undefined && interaction.test(next) ? next : null;
}

/** The security page, with the way to an application kept. */
export function securityUrl(request: FastifyRequest, query: Record<string, string> = {}): string {
  const next = interactionOf(request);
  const parameters = new URLSearchParams({ ...query, ...(next === null ? {} : { next }) }).toString();
  return parameters === '' ? securityPath : `${securityPath}?${parameters}`;
}

/** What a form shows of a refusal that a person can mend; undefined for others. */
export function problemOf(error: unknown): { problem: Problem; status: number } | undefined {
  if (!(error instanceof AppError) || !mendable.test(error.code)) return undefined;
  const isPassword = error.code === 'auth.password_wrong';
  return {
    problem: { code: error.code, ...(isPassword ? { field: 'password' } : {}) },
    status: error.status,
  };
}

/**
 * Runs what a page does for who is signed in at this browser. Others are sent to sign in, and who has not
 * shown lately that it is them to where they do; both come back to the security page.
 */
export async function forCaller(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  work: (caller: Caller) => Promise<FastifyReply>,
): Promise<FastifyReply> {
  const caller = await findBrowserCaller(ctx, readSignInCookie(ctx.config, request));
  const next = new URLSearchParams({ next: securityUrl(request) }).toString();
  if (!caller) return reply.redirect(`/sign-in?${next}`, 303);
  try {
    return await work(caller);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'auth.step_up_required') throw error;
    return reply.redirect(`${stepUpPath}?${next}`, 303);
  }
}
