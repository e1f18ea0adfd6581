import type { Ctx } from '../../../ctx.ts';
import { acrOf, type BrowserSignIn } from '../../auth/index.ts';
import { endStep, type OpenInteraction } from './interaction.ts';

/**
 * Ends the step in which somebody signed in, or showed more of who they are, and returns where the browser
 * goes on. They have chosen the account by it, too, and their session is another one now.
 */
export function goOn(
  ctx: Ctx,
  interaction: OpenInteraction['interaction'],
  { userId, amr }: Pick<BrowserSignIn, 'userId' | 'amr'>,
): Promise<string> {
  const login = { accountId: userId, amr, acr: acrOf(amr) };
  return endStep(ctx, interaction, { login, select_account: {} }, { forgetsSession: true });
}
