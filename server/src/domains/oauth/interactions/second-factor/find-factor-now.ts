import type { Ctx } from '../../../../ctx.ts';
import { acrOf, findSession, secondFactorAcr, type BrowserSignIn } from '../../../auth/index.ts';
import type { OpenInteraction } from '../interaction.ts';

/** Who has shown the second factor meanwhile that the application wants, and how. */
export async function findFactorNow(
  ctx: Ctx,
  { interaction }: OpenInteraction,
): Promise<Pick<BrowserSignIn, 'userId' | 'amr'> | undefined> {
  const { prompt, session } = interaction;
  if (prompt.name !== 'second_factor' || !session) return undefined;
  const now = await ctx.db.asService((tx) => findSession(ctx, tx, { id: session.uid }));
  if (!now || acrOf(now.amr) !== secondFactorAcr) return undefined;
  return { userId: now.userId, amr: now.amr };
}
