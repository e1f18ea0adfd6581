import type { Ctx } from '../../ctx.ts';
import type { JobData } from '../../jobs/index.ts';
import { erasureMail } from '../../mail/templates.ts';
import { openErasureAddress } from './erasure-address.ts';

/** Job: tells an address that its account is erased. Rejects when the mail was not taken. */
export async function sendErasureMail(
  ctx: Ctx,
  { sealedEmail, at }: JobData['send-erasure-mail'],
): Promise<void> {
  await ctx.mail.send(erasureMail({ to: openErasureAddress(ctx, sealedEmail), at: new Date(at) }));
}
