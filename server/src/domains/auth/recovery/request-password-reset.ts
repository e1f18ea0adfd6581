import type { Ctx } from '../../../ctx.ts';
import { normalizeEmail } from '../../../lib/email.ts';
import type { RequestOrigin } from '../../audit/index.ts';

/**
 * Has a reset link sent to the address if it has an account. Only a job is stored here, whoever asks for
 * whatever address, so neither the answer nor its time tells whether the account exists.
 */
export async function requestPasswordReset(
  ctx: Ctx,
  { email }: { email: string },
  origin: RequestOrigin,
): Promise<void> {
  await ctx.db.asService((tx) =>
    ctx.jobs.enqueue(tx, 'send-reset-mail', { email: normalizeEmail(email), origin }),
  );
}
