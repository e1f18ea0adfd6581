import { and, desc, eq, gt, isNull } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller, Tx } from '../../db/index.ts';
import { readUser, toUserObject, type UserObject } from '../users/index.ts';
import { readAvailable } from './read-available.ts';
import type { Impersonation, SessionView } from './schemas.ts';
import { sessions } from './tables.ts';

/** The devices on which the caller is signed in, the one used last first. */
export async function listSessions(ctx: Ctx, caller: Caller): Promise<SessionView[]> {
  const rows = await ctx.db.asCaller(caller, (tx) => readLiveSessions(ctx, tx, caller.userId));
  return rows.map((row) => toSessionView(row, caller.sessionId));
}

type SessionRow = typeof sessions.$inferSelect;

/** Living sessions of a person, the one used last first, as `tx` may see them. */
export async function readLiveSessions(ctx: Ctx, tx: Tx, userId: string): Promise<SessionRow[]> {
  const { expiresAt, id, lastUsedAt, revokedAt } = sessions;
  return tx
    .select()
    .from(sessions)
    .where(and(eq(sessions.userId, userId), isNull(revokedAt), gt(expiresAt, ctx.clock.now())))
    .orderBy(desc(lastUsedAt), desc(id));
}

/** The caller and the session that they ask with. */
export async function readCurrentSession(
  ctx: Ctx,
  caller: Caller,
): Promise<{ user: UserObject; session: SessionView; impersonation: Impersonation | null }> {
  const { user, row } = await ctx.db.asCaller(caller, async (tx) => {
    const [current] = await tx.select().from(sessions).where(eq(sessions.id, caller.sessionId));
    return { user: await readUser(tx, caller.userId), row: current };
  });
  if (!row) throw new Error('The living session is not there');
  return {
    user: toUserObject(user, await readAvailable(ctx, caller)),
    session: toSessionView(row, caller.sessionId),
    impersonation: toImpersonation(row),
  };
}

/** A session as a list shows it; `currentId` is the one that asks. */
export function toSessionView(row: SessionRow, currentId: string): SessionView {
  return {
    id: row.id,
    deviceId: row.deviceId,
    deviceName: row.deviceName,
    userAgent: row.userAgent,
    ipAddress: row.ipAddress,
    createdAt: row.createdAt.toISOString(),
    lastUsedAt: row.lastUsedAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    current: row.id === currentId,
    impersonated: row.impersonatorId !== null,
  };
}

function toImpersonation({ impersonatorId, createdAt, expiresAt }: SessionRow): Impersonation | null {
  if (impersonatorId === null) return null;
  return {
    administratorId: impersonatorId,
    startedAt: createdAt.toISOString(),
    endsAt: expiresAt.toISOString(),
  };
}
