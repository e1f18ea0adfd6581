import { sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { RowDocument } from '../../db/documents.ts';
import type { Tx } from '../../db/index.ts';
import { newId } from '../../lib/ids.ts';
import { learnAuthorization } from './stores/authorization.ts';

/** Refresh tokens do not outlive this, whatever is refreshed in between. */
export const refreshTtlSeconds = 30 * 86_400;

export type AuthorizationOwner = { userId: string; applicationId: string; sessionId: string };

/**
 * The authorization of an application in a session, opened when there is none: only if the person has
 * granted it something that they have not taken back, for which whoever ends the grant waits. Lives thirty
 * days from now. Returns its id.
 */
export async function openAuthorization(
  ctx: Ctx,
  tx: Tx,
  { userId, applicationId, sessionId }: AuthorizationOwner,
): Promise<string | undefined> {
  const now = ctx.clock.now();
  const expiresAt = new Date(now.getTime() + refreshTtlSeconds * 1000);
  const { rows } = await tx.execute<{ document: RowDocument | null }>(sql`
    select oauth.open_authorization(
             ${newId(ctx)}, ${userId}, ${applicationId}, ${sessionId}, ${expiresAt}, ${now}) as document`);
  return learnAuthorization(rows[0]?.document)?.id;
}
