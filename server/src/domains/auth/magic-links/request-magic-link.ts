import type { Ctx } from '../../../ctx.ts';
import { normalizeEmail } from '../../../lib/email.ts';
import type { RequestOrigin } from '../../audit/index.ts';

/**
 * Has a link sent that signs in, if the address has an account. Only a job is stored here, whoever asks for
 * whatever address, so neither the answer nor its time tells whether the account exists.
 */
export async function requestMagicLink(
  ctx: Ctx,
  { email }: { email: string },
  origin: RequestOrigin,
): Promise<void> {
  await ctx.db.asService((tx) =>
    ctx.jobs.enqueue(tx, 'send-magic-link-mail', { email: normalizeEmail(email), origin }),
  );
}
