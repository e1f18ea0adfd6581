import { and, eq, lte } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { newId } from '../../../lib/ids.ts';
import { hashOpaqueToken, newOpaqueToken } from '../../../lib/secrets.ts';
import { verificationTokens } from '../tables.ts';

/** How long the link of a mail works. */
export const linkTtlMinutes = 60;

export type LinkTokenPurpose = 'verify_email' | 'reset_password' | 'magic_link' | 'change_email';

export type LinkToken = {
  userId: string;
  email: string;
  purpose: LinkTokenPurpose;
  ttlMinutes?: number;
};

/**
 * Makes a single-use token of 256 bits for the link of a mail, bound to the person, the address and one
 * purpose, and stores its hash. Expired ones of that person and purpose go; others keep working, so that two
 * mails that cross do no harm. Returns the token; it is in no table.
 */
export async function createLinkToken(
  ctx: Ctx,
  tx: Tx,
  { userId, email, purpose, ttlMinutes = linkTtlMinutes }: LinkToken,
): Promise<string> {
  const token = newOpaqueToken(ctx.random);
  const createdAt = ctx.clock.now();
  await tx
    .delete(verificationTokens)
    .where(
      and(
        eq(verificationTokens.userId, userId),
        eq(verificationTokens.purpose, purpose),
        lte(verificationTokens.expiresAt, createdAt),
      ),
    );
  await tx.insert(verificationTokens).values({
    id: newId(ctx),
    userId,
    purpose,
    email,
    tokenHash: hashOpaqueToken(token),
    createdAt,
    expiresAt: new Date(createdAt.getTime() + ttlMinutes * 60_000),
  });
  return token;
}
