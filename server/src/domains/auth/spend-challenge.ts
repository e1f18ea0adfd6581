import { createHash, timingSafeEqual } from 'node:crypto';
import { lte } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import { AppError } from '../../errors.ts';
import { leadingZeroBits } from '../../lib/proof-of-work.ts';
import { signTerms } from './create-challenge.ts';
import { spentChallenges } from './protection-tables.ts';

/** `<expires>.<bits>.<nonce>.<signature>.<number>` */
const form =
  /^(?<terms>(?<expires>\d{1,12})\.(?<bits>\d{1,2})\.[\w-]{22})\.(?<signature>[\w-]{43})\.\d{1,16}$/;

/**
 * Checks the solved challenge of a registration, and spends it: of several uses at once, one gets through,
 * and a registration that is refused for something else needs another. Does nothing while none is wanted.
 * Throws `auth.work_required` without one, `auth.work_invalid` for one that is forged, unsolved,
 * expired or used.
 */
export async function spendChallenge(ctx: Ctx, proof: string | undefined): Promise<void> {
  if (ctx.config.registrationChallenge === 'off') return;
  if (proof === undefined || proof === '') throw new AppError('auth.work_required');
  const now = ctx.clock.now();
  const expiresAt = readExpiry(ctx, proof);
  if (expiresAt === undefined || expiresAt <= now) throw new AppError('auth.work_invalid');
  const challenge = proof.slice(0, proof.lastIndexOf('.'));
  const challengeHash = createHash('sha256').update(challenge).digest();
  const spent = await ctx.db.asService(async (tx) => {
    await tx.delete(spentChallenges).where(lte(spentChallenges.expiresAt, now));
    return tx
      .insert(spentChallenges)
      .values({ challengeHash, expiresAt })
      .onConflictDoNothing()
      .returning({ expiresAt: spentChallenges.expiresAt });
  });
  if (spent.length === 0) throw new AppError('auth.work_invalid');
}

/** When the challenge ends that this solves; undefined unless it is one of ours, and solved. */
function readExpiry(ctx: Ctx, proof: string): Date | undefined {
  const { terms = '', signature = '', bits = '', expires = '' } = form.exec(proof)?.groups ?? {};
  const [expected, given] = [Buffer.from(signTerms(ctx, terms)), Buffer.from(signature)];
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return undefined;
  return leadingZeroBits(proof) >= Number(bits) ? new Date(Number(expires) * 1000) : undefined;
}
