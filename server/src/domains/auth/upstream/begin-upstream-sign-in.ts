import { inArray, lt } from 'drizzle-orm';
import * as client from 'openid-client';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { hashOpaqueToken, newOpaqueToken } from '../../../lib/secrets.ts';
import type { IdentityProvider } from '../../../identity-providers.ts';
import { upstreamAttempts } from '../upstream-tables.ts';
import { attemptSecrets } from './attempt-secrets.ts';

const attemptTtlSeconds = 600;
const expiredMax = 100;

/** Where a provider sends browsers back to, unless it is the default one of a client of Moxie's. */
export const callbackPathOf = (name: string): string => `/api/v1/auth/social/${name}/callback`;

/** Where a way to a provider leads in the end. */
export type Way = {
  /** Where the provider sends the browser back to. */
  callbackPath: string;
  /** A page of ours, or an address of an allowed front end. */
  returnTo: string;
  /** Where the browser goes with an `error` instead. */
  failTo: string;
  /**
   * What `returnTo` is given along: nothing, a one-time code for the session, or the tokens. `person`: nobody
   * is signed in yet, a page of ours does that, see `redeemPersonCode`.
   */
  handsOver: 'nothing' | 'person' | 'code' | 'tokens';
  /** What the front end has to prove when it redeems the code. @see RFC 7636 */
  codeChallenge?: string | undefined;
  /** Who adds an account to theirs; without it, somebody signs in. */
  linksTo?: Caller | undefined;
  /** Whether the provider shall ask for a password even if it knows who it is. */
  isAgain?: boolean;
};

export type Beginning = {
  /** Where the browser is sent. */
  url: string;
  /** What its cookie says from now on. */
  browser: string;
  /** Whether the provider comes back with a form, across sites. */
  isFormPost: boolean;
};

/**
 * Begins a sign-in at another provider: state, nonce and PKCE, bound to this browser, good for ten minutes
 * and one use. `browser` is the value of its cookie so far. Throws `auth.upstream_unavailable`.
 * @see RFC 9700 §2.1, OpenID Connect Core 1.0 §3.1.2.1
 */
export async function beginUpstreamSignIn(
  ctx: Ctx,
  provider: IdentityProvider,
  { way, browser = newOpaqueToken(ctx.random) }: { way: Way; browser?: string | undefined },
): Promise<Beginning> {
  const configuration = await ctx.upstream.connect(provider);
  const state = newOpaqueToken(ctx.random);
  await storeAttempt(ctx, { token: state, browser, provider: provider.name, way });
  const { nonce, challenge } = attemptSecrets(ctx.config, state);
  const isFormPost = provider.kind === 'apple';
  const url = client.buildAuthorizationUrl(configuration, {
    redirect_uri: `${ctx.config.baseUrl}${way.callbackPath}`,
    scope: provider.scopes,
    state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...(provider.kind === 'github' ? {} : { nonce }),
    ...(isFormPost ? { response_mode: 'form_post' } : {}),
    ...(provider.audience === '' ? {} : { audience: provider.audience }),
    ...(way.isAgain && provider.kind !== 'github' ? { prompt: 'login' } : {}),
  });
  return { url: url.href, browser, isFormPost };
}

/** Remembers a way, under a token of which only the hash is stored; forgets some whose time is over. */
export async function storeAttempt(
  ctx: Ctx,
  { token, browser, provider, way }: { token: string; browser?: string; provider: string; way: Way },
): Promise<void> {
  const now = ctx.clock.now();
  const { callbackPath, returnTo, failTo, handsOver, codeChallenge, linksTo } = way;
  await ctx.db.asService(async (tx) => {
    const expired = tx
      .select({ stateHash: upstreamAttempts.stateHash })
      .from(upstreamAttempts)
      .where(lt(upstreamAttempts.expiresAt, now))
      .limit(expiredMax)
      .for('update', { skipLocked: true });
    await tx.delete(upstreamAttempts).where(inArray(upstreamAttempts.stateHash, expired));
    await tx.insert(upstreamAttempts).values({
      stateHash: hashOpaqueToken(token),
      browserHash: browser === undefined ? null : hashOpaqueToken(browser),
      provider,
      userId: linksTo?.userId ?? null,
      sessionId: linksTo?.sessionId ?? null,
      callbackPath,
      returnTo,
      failTo,
      handsOver,
      codeChallenge: codeChallenge ?? null,
      createdAt: now,
      expiresAt: new Date(now.getTime() + attemptTtlSeconds * 1000),
    });
  });
}
