import type { Ctx } from '../../../ctx.ts';
import { consumeLinkToken } from '../recovery/consume-link-token.ts';
import type { IdentifiedPerson } from '../sign-in/sign-in-person.ts';

/**
 * Who somebody is by the link that was sent to them; it works once. That is one factor: `signInPerson` asks
 * for the second where there is one. Throws `auth.link_invalid`.
 */
export async function identifyByLink(ctx: Ctx, token: string): Promise<IdentifiedPerson> {
  const { userId } = await ctx.db.asService((tx) =>
    consumeLinkToken(ctx, tx, { token, purpose: 'magic_link' }),
  );
  return { userId, amr: ['email'] };
}
