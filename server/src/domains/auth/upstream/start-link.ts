import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { newOpaqueToken } from '../../../lib/secrets.ts';
import { assertRecentSignIn } from '../step-up/assert-recent-sign-in.ts';
import { findBrowserCaller } from '../find-browser-caller.ts';
import { callbackPathOf, storeAttempt, type Way } from './begin-upstream-sign-in.ts';
import { spendLinkTicket } from './spend-attempt.ts';

/**
 * A link that adds an account at a provider to the ways in of the caller, once and within ten minutes. Throws
 * `auth.provider_unknown`, `auth.session_ended`, `auth.step_up_required`.
 */
export async function startLink(
  ctx: Ctx,
  caller: Caller,
  { name, way }: { name: string; way: Way },
): Promise<string> {
  const { name: provider } = ctx.upstream.find(name);
  const ticket = newOpaqueToken(ctx.random);
  await assertRecentSignIn(ctx, caller);
  await storeAttempt(ctx, { token: ticket, provider, way: { ...way, linksTo: caller } });
  return `${ctx.config.baseUrl}/api/v1/auth/social/${provider}?ticket=${ticket}`;
}

/**
 * The same for a page of ours, at this path: it gets `done=connected`, or the code of a refusal as `error`.
 * Returns also what the provider is called.
 */
export async function startOwnLink(
  ctx: Ctx,
  caller: Caller,
  name: string,
  path: string,
): Promise<{ url: string; label: string }> {
  const { label } = ctx.upstream.find(name);
  const returnTo = `${path}?done=connected`;
  const way = { callbackPath: callbackPathOf(name), returnTo, failTo: path, handsOver: 'nothing' } as const;
  return { url: await startLink(ctx, caller, { name, way }), label };
}

/**
 * Where the link leads, for the browser in which its maker is signed in: nobody has somebody else add an
 * account to theirs by sending them the link. Spends it. Throws `auth.upstream_state`, `auth.cookie_invalid`.
 */
export async function openLinkTicket(
  ctx: Ctx,
  { ticket, name, cookie }: { ticket: string; name: string; cookie: string | undefined },
): Promise<Way> {
  const browserCaller = await findBrowserCaller(ctx, cookie);
  if (!browserCaller) throw new AppError('auth.cookie_invalid');
  const { provider, userId, sessionId, ...way } = await spendLinkTicket(ctx, ticket);
  if (provider !== name || userId === null || sessionId === null) throw new AppError('auth.upstream_state');
  if (browserCaller.userId !== userId) throw new AppError('auth.cookie_invalid');
  const { callbackPath, returnTo, failTo, handsOver } = way;
  return { callbackPath, returnTo, failTo, handsOver, linksTo: { userId, sessionId } };
}
