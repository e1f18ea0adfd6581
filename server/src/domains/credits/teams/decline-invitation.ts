import { and, eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { teamInvitations } from '../team-tables.ts';
import { readConfirmedEmail } from './read-confirmed-email.ts';

/**
 * Turns an invitation to the caller's own address down. Throws `auth.session_ended`,
 * `users.email_unverified`, `request.not_found`.
 */
export async function declineInvitation(ctx: Ctx, caller: Caller, invitationId: string): Promise<void> {
  await ctx.db.asServiceFor(caller, async (tx) => {
    const email = await readConfirmedEmail(tx, caller);
    const [declined] = await tx
      .delete(teamInvitations)
      .where(and(eq(teamInvitations.id, invitationId), eq(teamInvitations.email, email)))
      .returning({ id: teamInvitations.id });
    if (!declined) throw new AppError('request.not_found');
  });
}
