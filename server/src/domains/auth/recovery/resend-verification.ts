import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { normalizeEmail } from '../../../lib/email.ts';
import type { RequestOrigin } from '../../audit/index.ts';

/**
 * Has the confirming link sent again if the address has an account that still needs it. Only a job is stored
 * here, whatever the address, so neither the answer nor its time tells anything.
 */
export async function resendVerification(
  ctx: Ctx,
  { email }: { email: string },
  origin: RequestOrigin,
): Promise<void> {
  await ctx.db.asService((tx) => enqueueVerificationMail(ctx, tx, { email: normalizeEmail(email), origin }));
}

/** Has the confirming link sent to a normalised address when `tx` commits: part of a registration. */
export async function enqueueVerificationMail(
  ctx: Ctx,
  tx: Tx,
  data: { email: string; origin: RequestOrigin },
): Promise<void> {
  await ctx.jobs.enqueue(tx, 'send-verification-mail', data);
}
