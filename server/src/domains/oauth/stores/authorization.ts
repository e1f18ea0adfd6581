import { and, eq, isNull, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { RowDocument } from '../../../db/documents.ts';
import type { Tx } from '../../../db/index.ts';
import { readUserDocument } from '../../users/index.ts';
import { currentExchange } from '../exchange.ts';
import { authorizations } from '../tables.ts';

/** An authorization that lives, with all that tokens made of it depend on. */
export type LiveAuthorization = {
  id: string;
  userId: string;
  applicationId: string;
  clientId: string;
  grantId: string;
  sessionId: string | null;
  outlivesSession: boolean;
  expiresAt: Date;
  /** When it was used before; unknown where it was read to be changed. */
  grantUsedAt: Date | undefined;
  /** What the person has granted. */
  scopes: string[];
  claims: string[];
  details: unknown[];
  /** Scopes by the API that they are for. */
  resources: Record<string, string[]>;
  /** What the application may spend, as its mandates say now. */
  mandates: Record<string, unknown>[];
};

/**
 * The authorization, if it lives. In a request that spends or ends something it is locked first, so that
 * refreshes and revocations of one authorization happen one after the other. Read once per request.
 */
export async function findLiveAuthorization(
  ctx: Ctx,
  tx: Tx,
  id: string,
): Promise<LiveAuthorization | undefined> {
  const exchange = currentExchange();
  const known = exchange?.known.authorization;
  if (known?.id === id) return known;
  const locks = exchange?.locks ?? false;
  const { rows } = await tx.execute<{ document: RowDocument | null }>(sql`
    select oauth.read_authorization(${id}, ${locks}, ${ctx.clock.now()}) as document`);
  return learnAuthorization(rows[0]?.document);
}

/** What SQL says of an authorization; the request at hand remembers it. */
export function learnAuthorization(document: RowDocument | null | undefined): LiveAuthorization | undefined {
  if (!document) return undefined;
  const { user, role, ...read } = document;
  const given = read as Omit<LiveAuthorization, 'expiresAt' | 'grantUsedAt'> & {
    expiresAt: string;
    grantUsedAt?: string | null;
  };
  const authorization = {
    ...given,
    expiresAt: new Date(given.expiresAt),
    grantUsedAt: given.grantUsedAt ? new Date(given.grantUsedAt) : undefined,
  };
  const exchange = currentExchange();
  if (!exchange) return authorization;
  const { applicationId, userId, grantId } = authorization;
  exchange.known.authorization = authorization;
  exchange.known.user = readUserDocument(user as RowDocument);
  exchange.known.role = { applicationId, userId, role: role as string | null };
  exchange.grantId = grantId;
  return authorization;
}

/** Forgets what this request knows of an authorization, since it has ended or changed. */
export function forgetAuthorization(): void {
  delete currentExchange()?.known.authorization;
}

/**
 * Lets an authorization live on when its session ends, since the person granted `offline_access`. Not one
 * whose session has just been ended: what ended it meant this one, too.
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
  forgetAuthorization();
  return rows.length > 0;
}
