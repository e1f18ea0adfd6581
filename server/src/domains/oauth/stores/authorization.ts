import { and, eq, isNull, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { currentExchange } from '../exchange.ts';
import { authorizations } from '../tables.ts';

/** An authorization that lives, with what the library wants to know of it. */
export type LiveAuthorization = {
  id: string;
  userId: string;
  applicationId: string;
  clientId: string;
  grantId: string;
  sessionId: string | null;
  outlivesSession: boolean;
  expiresAt: Date;
};

type Row = Omit<LiveAuthorization, 'expiresAt'> & { expiresAt: Date | string };

/**
 * The authorization, if it lives. In a request that spends or ends something it is locked first, so that
 * refreshes and revocations of one authorization happen one after the other.
 */
export async function findLiveAuthorization(
  ctx: Ctx,
  tx: Tx,
  id: string,
): Promise<LiveAuthorization | undefined> {
  if (currentExchange()?.locks) await lockAuthorization(tx, id);
  const { rows } = await tx.execute<Row>(sql`
    select a.id, a.user_id as "userId", a.application_id as "applicationId", p.client_id as "clientId",
           a.grant_id as "grantId", a.session_id as "sessionId", a.outlives_session as "outlivesSession",
           l.expires_at as "expiresAt"
      from oauth.live_authorizations l
      join oauth.authorizations a on a.id = l.authorization_id
      join apps.applications p on p.id = a.application_id
     where l.authorization_id = ${id} and l.expires_at > ${ctx.clock.now().toISOString()}`);
  const [row] = rows;
  if (!row) return undefined;
  const exchange = currentExchange();
  if (exchange) exchange.grantId = row.grantId;
  return { ...row, expiresAt: new Date(row.expiresAt) };
}

/**
 * Makes whoever wants to spend, refresh or end something of this authorization wait for this transaction. The
 * grant is locked before the authorization, as it is where a grant ends.
 */
async function lockAuthorization(tx: Tx, id: string): Promise<void> {
  await tx.execute(sql`select oauth.lock_authorization(${id})`);
}

/**
 * Lets an authorization live on when its session ends, since the person granted `offline_access`. Not one whose
 * session has just been ended: what ended it meant this one, too.
 */
export async function letOutliveSession(tx: Tx, id: string): Promise<void> {
  await tx.execute(sql`
    update oauth.authorizations a set outlives_session = true
     where a.id = ${id} and not a.outlives_session and a.revoked_at is null
       and exists (select from auth.sessions s where s.id = a.session_id and s.revoked_at is null)`);
}

/** Ends an authorization with all that hangs on it. Returns whether it lived until now. */
export async function endAuthorization(ctx: Ctx, tx: Tx, id: string, reason: string): Promise<boolean> {
  const rows = await tx
    .update(authorizations)
    .set({ revokedAt: ctx.clock.now(), revokedReason: reason })
    .where(and(eq(authorizations.id, id), isNull(authorizations.revokedAt)))
    .returning({ id: authorizations.id });
  return rows.length > 0;
}
