import type { Ctx } from '../../../ctx.ts';
import { ownPathOf } from '../../../lib/own-path.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { exchangeCookie } from '../exchange-cookie.ts';
import type { upstreamAttempts } from '../upstream-tables.ts';
import { makeSessionCode } from './session-code.ts';

type Attempt = typeof upstreamAttempts.$inferSelect;

/** Where the browser goes with the sign-in that it has now. */
export async function handOver(
  ctx: Ctx,
  { returnTo, handsOver, codeChallenge }: Attempt,
  { sessionId }: { sessionId: string },
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

/** The address with more parameters; one of ours stays without an origin, and ours. */
export function withParams({ config }: Ctx, address: string, params: Record<string, string>): string {
  const url = new URL(address, config.baseUrl);
  for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value);
  return address.startsWith('/') ? (ownPathOf(url) ?? '/') : url.href;
}
