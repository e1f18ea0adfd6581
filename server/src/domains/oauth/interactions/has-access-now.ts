import type { Ctx } from '../../../ctx.ts';
import { readRoles } from '../read-roles.ts';
import type { OpenInteraction } from './interaction.ts';

/** Whether somebody who had to ask for access to an application has been let in meanwhile. */
export async function hasAccessNow(
  ctx: Ctx,
  { interaction, application }: OpenInteraction,
): Promise<boolean> {
  const { prompt, session } = interaction;
  if (prompt.name !== 'access' || !session) return false;
  const roles = await ctx.db.asService((tx) => readRoles(tx, application.id, session.accountId));
  return roles !== undefined;
}
