import { eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { JobData } from '../../../jobs/index.ts';
import { creditsText, moneyText } from '../../../lib/amount-text.ts';
import { topUpMail } from '../../../mail/payment-templates.ts';
import { creditsAddress, listPackages } from '../../credits/index.ts';
import { findUser } from '../../users/index.ts';
import { topUps } from '../saved-card-tables.ts';

/**
 * Job: tells a person what automatic top-ups they have agreed to, unless they have ended them meanwhile.
 * Rejects when the mail was not taken.
 */
export async function sendTopUpMail(ctx: Ctx, { userId }: JobData['send-top-up-mail']): Promise<void> {
  const found = await ctx.db.asService(async (tx) => {
    const [terms] = await tx.select().from(topUps).where(eq(topUps.userId, userId));
    const user = terms && (await findUser(tx, userId));
    return user && { to: user.email, terms };
  });
  if (!found) return;
  const { to, terms } = found;
  const title = (await listPackages(ctx)).find(({ id }) => id === terms.packageId)?.name ?? terms.packageId;
  await ctx.mail.send(
    topUpMail({
      to,
      title,
      price: moneyText(terms.priceCents, terms.currency),
      threshold: creditsText(terms.threshold, ctx.config.creditsScale),
      cap: moneyText(terms.monthlyCapCents, terms.currency),
      pageUrl: creditsAddress(ctx),
    }),
  );
}
