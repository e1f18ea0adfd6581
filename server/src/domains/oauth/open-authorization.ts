import { sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { RowDocument } from '../../db/documents.ts';
import type { Tx } from '../../db/index.ts';
import { newId } from '../../lib/ids.ts';
import { exchangeAtHand } from './exchange.ts';
import { isDue } from './is-due.ts';
import { learnAuthorization } from './stores/authorization.ts';

/** Refresh tokens do not outlive this, whatever is refreshed in between. */
export const refreshTtlSeconds = 30 * 86_400;

export type AuthorizationOwner = { userId: string; applicationId: string; sessionId: string };

/**
 * The authorization of an application in a session, opened when there is none: only if the person has
 * granted it something that they have not taken back, for which whoever ends the grant waits. Lives thirty
 * days from now, to the minute. One that the request has read already is looked at again when it ends.
 * Returns its id.
 */
export async function openAuthorization(
  ctx: Ctx,
  tx: Tx,
  { userId, applicationId, sessionId }: AuthorizationOwner,
): Promise<string | undefined> {
  const now = ctx.clock.now();
  const expiresAt = new Date(now.getTime() + refreshTtlSeconds * 1000);
  const exchange = exchangeAtHand();
  const { offered } = exchange.known;
  if (offered?.['sessionId'] === sessionId && offered['applicationId'] === applicationId) {
    if (isDue(ctx, new Date(Date.parse(String(offered['livesUntil'])) - refreshTtlSeconds * 1000)))
      exchange.deeds.livesUntil = expiresAt;
    return learnAuthorization(offered)?.id;
  }
  const { rows } = await tx.execute<{ document: RowDocument | null }>(sql`
    select oauth.open_authorization(
             ${newId(ctx)}, ${userId}, ${applicationId}, ${sessionId}, ${expiresAt}, ${now}) as document`);
  return learnAuthorization(rows[0]?.document)?.id;
}
