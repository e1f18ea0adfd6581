import type { teamInvitations } from '../team-tables.ts';
import type { InvitationView } from './schemas.ts';

/** An invitation as the API shows it to the team. */
export function toInvitationView(row: typeof teamInvitations.$inferSelect): InvitationView {
  const { id, walletId: teamId, email, role, createdAt, expiresAt } = row;
  return { id, teamId, email, role, createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString() };
}
