import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { newOpaqueToken } from '../../../lib/secrets.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { findBrowserCaller } from '../find-browser-caller.ts';
import type { upstreamAttempts } from '../upstream-tables.ts';
import { storeAttempt } from './begin-upstream-sign-in.ts';
import { spendAttempt } from './spend-attempt.ts';
import { handOver } from './hand-over.ts';

/** Where a browser goes on that has shown its second factor. */
export const continuePath = '/sign-in/continue';

/**
 * Remembers where a sign-in at a provider goes on once the second factor is shown here. Returns the page that
 * asks for it.
 */
export async function waitForSecondFactor(
  ctx: Ctx,
  { provider, ...attempt }: typeof upstreamAttempts.$inferSelect,
  browser: string,
): Promise<string> {
  const token = newOpaqueToken(ctx.random);
  const { returnTo, failTo, handsOver, codeChallenge } = attempt;
  const challenge = codeChallenge === null ? {} : { codeChallenge };
  const way = { callbackPath: continuePath, returnTo, failTo, handsOver, ...challenge };
  await storeAttempt(ctx, { token, browser, provider, way });
  const next = `${continuePath}?${new URLSearchParams({ ticket: token }).toString()}`;
  return `/sign-in/second-factor?${new URLSearchParams({ next }).toString()}`;
}

/**
 * Goes on with such a sign-in: hands over who is signed in at this browser now. Throws `auth.upstream_state`,
 * also where nobody is.
 */
export async function continueUpstreamSignIn(
  ctx: Ctx,
  { ticket, browser, cookie }: { ticket: string; browser: string | undefined; cookie: string | undefined },
  origin: RequestOrigin,
): Promise<string> {
  const answer = new URLSearchParams({ state: ticket });
  const attempt = await spendAttempt(ctx, { callbackPath: continuePath, answer, browser });
  const caller = await findBrowserCaller(ctx, cookie);
  if (!caller) throw new AppError('auth.upstream_state');
  return handOver(ctx, attempt, caller, origin);
}
