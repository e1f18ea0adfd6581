import { and, asc, eq, gt } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { teamInvitations, teams } from '../team-tables.ts';
import { readConfirmedEmail } from './read-confirmed-email.ts';
import type { OwnInvitationView } from './schemas.ts';

/**
 * The teams that ask the caller, by the address that they have confirmed. Throws `auth.session_ended`,
 * `users.email_unverified`.
 */
export async function listOwnInvitations(ctx: Ctx, caller: Caller): Promise<OwnInvitationView[]> {
  return ctx.db.asServiceFor(caller, async (tx) => {
    const email = await readConfirmedEmail(tx, caller);
    const rows = await tx
      .select({ invitation: teamInvitations, teamName: teams.name })
      .from(teamInvitations)
      .innerJoin(teams, eq(teams.walletId, teamInvitations.walletId))
      .where(and(eq(teamInvitations.email, email), gt(teamInvitations.expiresAt, ctx.clock.now())))
      .orderBy(asc(teams.name), asc(teamInvitations.id));
    return rows.map(({ invitation: { id, walletId, role, createdAt, expiresAt }, teamName }) => ({
      id,
      teamId: walletId,
      teamName,
      role,
      createdAt: createdAt.toISOString(),
      expiresAt: expiresAt.toISOString(),
    }));
  });
}
