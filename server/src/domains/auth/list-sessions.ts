import { and, desc, eq, gt, isNull } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { readUser, toUserObject, type UserObject } from '../users/index.ts';
import { readAvailable } from './read-available.ts';
import type { SessionView } from './schemas.ts';
import { sessions } from './tables.ts';

/** The devices on which the caller is signed in, the one used last first. */
export async function listSessions(ctx: Ctx, caller: Caller): Promise<SessionView[]> {
  const rows = await ctx.db.asCaller(caller, (tx) =>
    tx
      .select()
      .from(sessions)
      .where(
        and(
          eq(sessions.userId, caller.userId),
          isNull(sessions.revokedAt),
          gt(sessions.expiresAt, ctx.clock.now()),
        ),
      )
      .orderBy(desc(sessions.lastUsedAt), desc(sessions.id)),
  );
  return rows.map((row) => toSessionView(row, caller));
}

/** The caller and the session that they ask with. */
export async function readCurrentSession(
  ctx: Ctx,
  caller: Caller,
): Promise<{ user: UserObject; session: SessionView }> {
  const { user, row } = await ctx.db.asCaller(caller, async (tx) => {
    const [current] = await tx.select().from(sessions).where(eq(sessions.id, caller.sessionId));
    return { user: await readUser(tx, caller.userId), row: current };
  });
  if (!row) throw new Error('The living session is not there');
  return {
    user: toUserObject(user, await readAvailable(ctx, caller)),
    session: toSessionView(row, caller),
  };
}

function toSessionView(row: typeof sessions.$inferSelect, caller: Caller): SessionView {
  return {
    id: row.id,
    deviceId: row.deviceId,
    deviceName: row.deviceName,
    userAgent: row.userAgent,
    ipAddress: row.ipAddress,
    createdAt: row.createdAt.toISOString(),
    lastUsedAt: row.lastUsedAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    current: row.id === caller.sessionId,
  };
}
