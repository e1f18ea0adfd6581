import type { Ctx } from '../../../ctx.ts';
import type { Way } from './begin-upstream-sign-in.ts';
import { resolveReturnTo } from './resolve-return-to.ts';

/** What a caller wishes of a way to a provider. */
export type Wish = {
  callbackPath: string;
  returnTo?: string | undefined;
  codeChallenge?: string | undefined;
  /** Whether tokens may stand in the address where the settings say so. */
  mayHandTokens?: boolean;
  /** Whether it adds an account, which hands nothing over. */
  isLink?: boolean;
};

/**
 * The way to a provider and back that a front end asks for. Pages of ours have the sign-in cookie and need
 * nothing else; a front end elsewhere gets a one-time code. Throws `auth.return_not_allowed`.
 */
export function chooseWay(ctx: Ctx, { callbackPath, returnTo, codeChallenge, ...wish }: Wish): Way {
  const { address, isFrontEnd } = resolveReturnTo(ctx, returnTo);
  const failTo = address === '/sign-in?done' ? '/sign-in' : address;
  const gets = wish.mayHandTokens && ctx.config.callbackTokens === 'query' ? 'tokens' : 'code';
  const handsOver = isFrontEnd && !wish.isLink ? gets : 'nothing';
  return { callbackPath, returnTo: address, failTo, handsOver, codeChallenge };
}
