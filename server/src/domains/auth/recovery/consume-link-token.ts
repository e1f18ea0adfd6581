import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { hashOpaqueToken } from '../../../lib/secrets.ts';
import type { LinkTokenPurpose } from './create-link-token.ts';

export type LinkTokenOwner = { userId: string; email: string };

/**
 * Spends a link's token and says whose it was. Of several at once, one gets through. Unknown, expired, spent,
 * made for something else, or sent to an address that the account no longer has: all are `auth.link_invalid`.
 */
export async function consumeLinkToken(
  ctx: Ctx,
  tx: Tx,
  { token, purpose }: { token: string; purpose: LinkTokenPurpose },
): Promise<LinkTokenOwner> {
  const now = ctx.clock.now().toISOString();
  // One statement: whoever comes second finds consumed_at set, after waiting for the first one's commit.
  const { rows } = await tx.execute<{ userId: string; email: string }>(sql`
    update auth.verification_tokens t set consumed_at = ${now}
      from auth.users u
     where t.token_hash = ${hashOpaqueToken(token)} and t.purpose = ${purpose}
       and t.consumed_at is null and t.expires_at > ${now}
       and u.id = t.user_id and u.email = t.email and u.is_active
    returning t.user_id as "userId", t.email`);
  const owner = rows[0];
  if (!owner) throw new AppError('auth.link_invalid');
  return owner;
}
