import { and, eq, gt, isNull } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { hashOpaqueToken } from '../../../lib/secrets.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { exchangeCookie } from '../exchange-cookie.ts';
import { enterBrowser, type BrowserSignIn } from '../sign-in-browser.ts';
import { upstreamAttempts } from '../upstream-tables.ts';
import { findPerson } from './find-person.ts';
import { linkAccount } from './link-account.ts';
import { readIdentity } from './read-identity.ts';
import { makeSessionCode, personCodeTarget } from './session-code.ts';

/** What a browser brings back from a provider. */
export type Callback = {
  callbackPath: string;
  answer: URLSearchParams;
  /** The cookie of the browser that went there. */
  browser: string | undefined;
  /** Its sign-in cookie, when somebody is signed in. */
  cookie: string | undefined;
};

/** Where the browser goes on, and its sign-in cookie when it has another one now. */
export type Finished = { url: string; cookie?: { value: string; ttlSeconds: number } };

type Attempt = typeof upstreamAttempts.$inferSelect;

/**
 * Ends a sign-in at another provider. The state is spent by the first answer of the browser that it was given
 * to. From then on a refusal leads back to where the browser came from, with the code as `error`. Throws
 * `auth.upstream_state` for a state that is unknown, used, older than ten minutes or another browser's.
 * @see RFC 6749 §10.12
 */
export async function finishUpstreamSignIn(
  ctx: Ctx,
  callback: Callback,
  origin: RequestOrigin,
): Promise<Finished> {
  const attempt = await spendAttempt(ctx, callback);
  try {
    return await finish(ctx, attempt, callback, origin);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    ctx.log.warn({ err: error, provider: attempt.provider }, 'a sign-in at another provider was refused');
    return { url: withParams(ctx, attempt.failTo, { error: error.code }) };
  }
}

async function spendAttempt(
  ctx: Ctx,
  { callbackPath, answer, browser }: Pick<Callback, 'callbackPath' | 'answer' | 'browser'>,
): Promise<Attempt> {
  const state = answer.get('state') ?? '';
  const [attempt] = await ctx.db.asService((tx) =>
    tx
      .delete(upstreamAttempts)
      .where(
        and(
          eq(upstreamAttempts.stateHash, hashOpaqueToken(state)),
          eq(upstreamAttempts.browserHash, hashOpaqueToken(browser ?? '')),
          eq(upstreamAttempts.callbackPath, callbackPath),
          gt(upstreamAttempts.expiresAt, ctx.clock.now()),
        ),
      )
      .returning(),
  );
  if (!attempt) throw new AppError('auth.upstream_state');
  return attempt;
}

/**
 * Opens the link that adds an account: a way that waits for its browser. Spends it. Throws
 * `auth.upstream_state`.
 */
export async function spendLinkTicket(ctx: Ctx, ticket: string): Promise<Attempt> {
  const [attempt] = await ctx.db.asService((tx) =>
    tx
      .delete(upstreamAttempts)
      .where(
        and(
          eq(upstreamAttempts.stateHash, hashOpaqueToken(ticket)),
          isNull(upstreamAttempts.browserHash),
          gt(upstreamAttempts.expiresAt, ctx.clock.now()),
        ),
      )
      .returning(),
  );
  if (!attempt) throw new AppError('auth.upstream_state');
  return attempt;
}

async function finish(
  ctx: Ctx,
  attempt: Attempt,
  { answer, callbackPath, browser = '', cookie }: Callback,
  origin: RequestOrigin,
): Promise<Finished> {
  const provider = ctx.upstream.find(attempt.provider);
  const state = answer.get('state') ?? '';
  const identity = await readIdentity(ctx, provider, { state, callbackPath, answer });
  const { userId, sessionId, returnTo } = attempt;
  if (userId !== null && sessionId !== null) {
    await linkAccount(ctx, { userId, sessionId }, identity, origin);
    return { url: withParams(ctx, returnTo, {}) };
  }
  const account = await findPerson(ctx, identity, origin);
  if (attempt.handsOver === 'person') {
    const boundTo = personCodeTarget(returnTo, browser);
    const code = await makeSessionCode(ctx, { accountId: account.accountId, boundTo });
    return { url: withParams(ctx, returnTo, { code }) };
  }
  const signedIn = await enterBrowser(ctx, account, { cookie }, origin);
  const url = await handOver(ctx, attempt, signedIn, origin);
  return { url, ...(signedIn.cookie ? { cookie: signedIn.cookie } : {}) };
}

/** Where the browser goes with the sign-in that it has now. */
async function handOver(
  ctx: Ctx,
  { returnTo, handsOver, codeChallenge }: Attempt,
  { sessionId }: BrowserSignIn,
  origin: RequestOrigin,
): Promise<string> {
  if (handsOver === 'nothing') return withParams(ctx, returnTo, {});
  const boundTo = new URL(returnTo).origin;
  const code = await makeSessionCode(ctx, { sessionId, boundTo, codeChallenge });
  if (handsOver === 'code') return withParams(ctx, returnTo, { code });
  const tokens = await exchangeCookie(ctx, { code, boundTo, verifier: undefined }, origin);
  return withParams(ctx, returnTo, {
    token: tokens.accessToken,
    access_token: tokens.accessToken,
    refresh_token: tokens.refreshToken,
    expires_in: String(tokens.expiresIn),
    token_type: tokens.tokenType,
  });
}

/** The address with more parameters; one of ours stays without an origin. */
function withParams({ config }: Ctx, address: string, params: Record<string, string>): string {
  const url = new URL(address, config.baseUrl);
  for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value);
  return address.startsWith('/') ? `${url.pathname}${url.search}` : url.href;
}
