import { eq } from 'drizzle-orm';
import * as client from 'openid-client';
import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { findBrowserCaller } from '../find-browser-caller.ts';
import { logOut } from '../log-out.ts';
import { accounts, sessions } from '../tables.ts';
import { resolveReturnTo } from './resolve-return-to.ts';

/**
 * Signs out whoever is signed in at this browser, here and at the provider through which they came, if it has
 * an address for that. Returns where the browser goes on. Throws `auth.return_not_allowed`.
 * @see OpenID Connect RP-Initiated Logout 1.0 §2
 */
export async function leaveUpstream(
  ctx: Ctx,
  { cookie, returnTo }: { cookie: string | undefined; returnTo: string | undefined },
  origin: RequestOrigin,
): Promise<string> {
  const { address, isFrontEnd } = resolveReturnTo(ctx, returnTo);
  const target = isFrontEnd || returnTo !== undefined ? address : '/sign-out?done';
  const caller = await findBrowserCaller(ctx, cookie);
  if (!caller) return target;
  const [session] = await ctx.db.asService((tx) =>
    tx
      .select({ issuer: accounts.provider })
      .from(sessions)
      .innerJoin(accounts, eq(accounts.id, sessions.accountId))
      .where(eq(sessions.id, caller.sessionId)),
  );
  await logOut(ctx, caller, origin);
  return (session && (await endSessionUrl(ctx, session.issuer, target))) ?? target;
}

/** Where the provider signs the person out; undefined when it has no such address or does not answer. */
async function endSessionUrl(ctx: Ctx, issuer: string, target: string): Promise<string | undefined> {
  const name = ctx.upstream.nameOf(issuer);
  const provider = ctx.upstream.providers.find((one) => one.name === name);
  if (!provider || provider.kind === 'github') return undefined;
  const back = new URL(target, ctx.config.baseUrl).href;
  if (provider.kind === 'auth0') {
    const url = new URL('v2/logout', provider.issuer.replace(/\/?$/, '/'));
    url.search = new URLSearchParams({ client_id: provider.clientId, returnTo: back }).toString();
    return url.href;
  }
  try {
    const configuration = await ctx.upstream.connect(provider);
    if (configuration.serverMetadata().end_session_endpoint === undefined) return undefined;
    return client.buildEndSessionUrl(configuration, { post_logout_redirect_uri: back }).href;
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}
