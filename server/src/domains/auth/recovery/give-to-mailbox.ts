import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { readFactors } from '../factors/read-factors.ts';
import { lockAccount } from '../sign-in/lock-account.ts';
import { reclaimAccount } from '../upstream/reclaim-account.ts';

/** By which link somebody has shown that they read the mails of an address. */
type Shown = { userId: string; by: 'password_reset' | 'magic_link' };

/**
 * Where nobody had confirmed the address, somebody else may have made the account: what they put into it is
 * void. Factors stay, which a mailbox alone must not get past; but they may be a way in of that other, so the
 * address is not taken to be confirmed then, and a sign-in elsewhere can still reclaim the account. `tx` is
 * the service's, and has just spent the link.
 */
export async function giveToMailbox(
  ctx: Ctx,
  tx: Tx,
  { userId, by }: Shown,
  origin: RequestOrigin,
): Promise<void> {
  const user = await lockAccount(tx, userId);
  if (user?.emailVerifiedAt !== null) return;
  const { methods } = await readFactors(tx, userId);
  await reclaimAccount(ctx, tx, { userId, details: { by }, keepsFactors: methods.length > 0 }, origin);
}
