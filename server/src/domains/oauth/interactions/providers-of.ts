import type { ProviderView } from '../../../../../web/src/page.ts';
import type { Ctx } from '../../../ctx.ts';
import { beginUpstreamSignIn, redeemSessionCode, type Beginning } from '../../auth/index.ts';
import { endStep, type OpenInteraction } from './interaction.ts';

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
    callbackPath: `/api/v1/auth/social/${name}/callback`,
    returnTo: `${page}/with/${name}/done`,
    failTo: page,
    handsOver: 'code',
    isAgain: interaction.session !== undefined,
  } as const;
  return beginUpstreamSignIn(ctx, ctx.upstream.find(name), { way, browser });
}

/**
 * Goes on with an interaction after a sign-in at a provider, which the code shows to have been made just now,
 * at this browser, for this interaction. Returns where the browser goes. Throws `auth.code_invalid`.
 */
export async function returnFromProvider(
  ctx: Ctx,
  { interaction }: OpenInteraction,
  { name, code, cookie }: { name: string; code: string; cookie: string | undefined },
): Promise<string> {
  const path = `/interaction/${interaction.uid}/with/${name}/done`;
  const { userId, sessionId } = await redeemSessionCode(ctx, { code, path, cookie });
  const result = { login: { accountId: userId }, select_account: {} };
  const forgetsSession = interaction.session?.uid !== sessionId;
  return endStep(ctx, interaction, result, { forgetsSession });
}
