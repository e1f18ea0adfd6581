import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import {
  enterBrowser,
  type BrowserPlace,
  type BrowserSecondFactor,
  type BrowserSignIn,
} from '../sign-in-browser.ts';
import type { upstreamAttempts } from '../upstream-tables.ts';
import { waitForSecondFactor } from './continue-upstream-sign-in.ts';
import { findPerson } from './find-person.ts';
import { handOver, withParams } from './hand-over.ts';
import { linkAccount } from './link-account.ts';
import { readIdentity } from './read-identity.ts';
import { makeSessionCode, personCodeTarget } from './session-code.ts';
import { spendAttempt } from './spend-attempt.ts';

/** What a browser brings back from a provider. */
export type Callback = {
  callbackPath: string;
  answer: URLSearchParams;
  /** The cookie of the browser that went there. */
  browser: string | undefined;
  /** What else it keeps: its sign-in cookie, and what it is remembered by. */
  place: BrowserPlace;
};

/** Where the browser goes on, and what came of a sign-in, for it to keep. */
export type Finished = { url: string; result?: BrowserSignIn | BrowserSecondFactor };

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

async function finish(
  ctx: Ctx,
  attempt: Attempt,
  { answer, callbackPath, browser = '', place }: Callback,
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
  const result = await enterBrowser(ctx, account, place, origin);
  const url =
    result.outcome === 'second_factor'
      ? await waitForSecondFactor(ctx, attempt, browser)
      : await handOver(ctx, attempt, result, origin);
  return { url, result };
}
