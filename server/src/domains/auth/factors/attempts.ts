import { eq, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { factorAttempts } from '../factor-tables.ts';
import { recordSecurityEvent } from '../record-security-event.ts';

const attemptsMax = 5;
const windowSeconds = 900;

/** Whose code somebody tries, and whether from an address that the owner is known to use. */
export type Attempt = { userId: string; email: string; isKnownAddress: boolean };

/**
 * Counts that somebody tries a code of this person's: five within fifteen minutes, then nothing is looked at
 * until the window ends. Addresses that the owner is known to use are counted apart, so that nobody else can
 * keep them out. Returns undefined, or how many seconds to wait; the owner is told once per window. To be
 * committed whatever comes of the try.
 */
export async function takeAttempt(
  ctx: Ctx,
  tx: Tx,
  { userId, email, isKnownAddress }: Attempt,
  origin: RequestOrigin,
): Promise<number | undefined> {
  const now = ctx.clock.now();
  const expired = sql`${factorAttempts.windowStartedAt} <= ${new Date(now.getTime() - windowSeconds * 1000).toISOString()}`;
  const [counted] = await tx
    .insert(factorAttempts)
    .values({ userId, isKnownAddress, attempts: 1, windowStartedAt: now })
    .onConflictDoUpdate({
      target: [factorAttempts.userId, factorAttempts.isKnownAddress],
      set: {
        attempts: sql`case when ${expired} then 1 else ${factorAttempts.attempts} + 1 end`,
        windowStartedAt: sql`case when ${expired} then ${now.toISOString()}::timestamptz else ${factorAttempts.windowStartedAt} end`,
      },
    })
    .returning({ attempts: factorAttempts.attempts, windowStartedAt: factorAttempts.windowStartedAt });
  if (!counted || counted.attempts <= attemptsMax) return undefined;
  if (counted.attempts === attemptsMax + 1) {
    await recordSecurityEvent(ctx, tx, { type: 'factor.blocked', userId }, origin);
    const at = now.toISOString();
    await ctx.jobs.enqueue(tx, 'send-notice-mail', { email, notice: 'factor_blocked', at });
  }
  const endsAt = counted.windowStartedAt.getTime() + windowSeconds * 1000;
  return Math.max(1, Math.ceil((endsAt - now.getTime()) / 1000));
}

/** A right code ends the counting. */
export async function forgetAttempts(tx: Tx, userId: string): Promise<void> {
  await tx.delete(factorAttempts).where(eq(factorAttempts.userId, userId));
}
