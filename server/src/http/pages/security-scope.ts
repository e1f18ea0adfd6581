import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Problem } from '../../../../web/src/page.ts';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { forPageCaller } from './page-caller.ts';

export const securityPath = '/account/security';

const interaction = /^\/interaction\/[\w-]{1,100}$/;
const mendable =
  /^(auth\.(password_wrong|code_wrong|passkey_invalid|passkey_exists|factor_active|factor_missing|last_way_in)|server\.busy|request\.rate_limited)$/;

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

/** The fields that are to blame alone. */
const fields: Record<string, string | undefined> = {
  'auth.password_wrong': 'password',
  'auth.code_wrong': 'code',
};

/** What a form shows of a refusal that a person can mend; undefined for others. */
export function problemOf(error: unknown): Problem | undefined {
  if (!(error instanceof AppError) || !mendable.test(error.code)) return undefined;
  const field = fields[error.code];
  return { code: error.code, ...(field === undefined ? {} : { field }) };
}

/** Runs what the security page does for who is signed in at this browser, see forPageCaller. */
export function forCaller(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  work: (caller: Caller) => Promise<FastifyReply>,
): Promise<FastifyReply> {
  return forPageCaller(ctx, request, reply, { next: securityUrl(request), work });
}
