import { eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { JobData } from '../../../jobs/index.ts';
import { creditsText, moneyText } from '../../../lib/amount-text.ts';
import { topUpMail } from '../../../mail/payment-templates.ts';
import { creditsAddress } from '../../credits/index.ts';
import { packages } from '../../credits/sales-tables.ts';
import { findUser } from '../../users/index.ts';
import { topUps } from '../saved-card-tables.ts';

/**
 * Job: tells a person what automatic top-ups they have agreed to, unless they have ended them meanwhile.
 * Rejects when the mail was not taken.
 */
export async function sendTopUpMail(ctx: Ctx, { userId }: JobData['send-top-up-mail']): Promise<void> {
  const found = await ctx.db.asService(async (tx) => {
    const [row] = await tx
      .select({ terms: topUps, title: packages.name })
      .from(topUps)
      .innerJoin(packages, eq(packages.id, topUps.packageId))
      .where(eq(topUps.userId, userId));
    const user = row && (await findUser(tx, userId));
    return user && { to: user.email, ...row };
  });
  if (!found) return;
  const { to, title, terms } = found;
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
