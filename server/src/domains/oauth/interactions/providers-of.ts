import type { ProviderView } from '../../../../../web/src/page.ts';
import type { Ctx } from '../../../ctx.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import {
  beginUpstreamSignIn,
  callbackPathOf,
  enterBrowser,
  redeemPersonCode,
  type Beginning,
  type BrowserPlace,
  type BrowserSecondFactor,
  type BrowserSignIn,
} from '../../auth/index.ts';
import type { OpenInteraction } from './interaction.ts';

/** The links of a sign-in page to the other places at which to sign in: `<page>/with/<name>`. */
export function providersOf(ctx: Ctx, page: string, query = ''): ProviderView[] {
  return ctx.upstream.providers.map(({ name, label }) => ({
    name,
    label,
    url: `${page}/with/${name}${query}`,
  }));
}

/**
 * Leaves an interaction for a sign-in at a provider, which comes back to it. Who has to show anew that it is
 * them is asked to do so there. Throws `auth.provider_unknown`, `auth.upstream_unavailable`.
 */
export function leaveForProvider(
  ctx: Ctx,
  { interaction }: OpenInteraction,
  { name, browser }: { name: string; browser: string | undefined },
): Promise<Beginning> {
  const page = `/interaction/${interaction.uid}`;
  const way = {
    callbackPath: callbackPathOf(name),
    returnTo: `${page}/with/${name}/done`,
    failTo: page,
    handsOver: 'person',
    isAgain: interaction.session !== undefined,
  } as const;
  return beginUpstreamSignIn(ctx, ctx.upstream.find(name), { way, browser });
}

/**
 * Signs in who comes back from a provider to the interaction that they left for it, which the code shows.
 * Throws `auth.code_invalid`, `auth.invalid_credentials`.
 */
export async function returnFromProvider(
  ctx: Ctx,
  { interaction }: OpenInteraction,
  { name, code, browser, place }: Returned,
  origin: RequestOrigin,
): Promise<BrowserSignIn | BrowserSecondFactor> {
  const path = `/interaction/${interaction.uid}/with/${name}/done`;
  const person = await redeemPersonCode(ctx, { code, path, browser });
  return enterBrowser(ctx, person, place, origin);
}

export type Returned = {
  name: string;
  code: string;
  /** The cookie of the browser that went there. */
  browser: string | undefined;
  place: BrowserPlace;
};
