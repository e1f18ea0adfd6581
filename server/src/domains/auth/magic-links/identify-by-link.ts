import type { Ctx } from '../../../ctx.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { consumeLinkToken } from '../recovery/consume-link-token.ts';
import { giveToMailbox } from '../recovery/give-to-mailbox.ts';
import type { IdentifiedPerson } from '../sign-in/sign-in-person.ts';

/**
 * Who somebody is by the link that was sent to them; it works once. That is one factor: `signInPerson` asks
 * for the second where there is one. Whoever opens a link to an address that nobody had confirmed gets the
 * account without what somebody else may have put into it, see `giveToMailbox`. Throws `auth.link_invalid`.
 */
export async function identifyByLink(
  ctx: Ctx,
  token: string,
  origin: RequestOrigin,
): Promise<IdentifiedPerson> {
  return ctx.db.asService(async (tx) => {
    const { userId } = await consumeLinkToken(ctx, tx, { token, purpose: 'magic_link' });
    await giveToMailbox(ctx, tx, { userId, by: 'magic_link' }, origin);
    return { userId, amr: ['email'] };
  });
}
