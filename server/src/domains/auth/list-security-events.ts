import { count, desc, eq } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import type { Page, SecurityEventView } from './schemas.ts';
import { securityEvents } from './tables.ts';

/** What happened to the caller's account, the newest first, and how much there is in all. */
export async function listSecurityEvents(
  ctx: Ctx,
  caller: Caller,
  { limit, offset }: Page,
): Promise<{ events: SecurityEventView[]; total: number }> {
  return ctx.db.asCaller(caller, async (tx) => {
    const isOwn = eq(securityEvents.userId, caller.userId);
    const rows = await tx
      .select()
      .from(securityEvents)
      .where(isOwn)
      .orderBy(desc(securityEvents.createdAt), desc(securityEvents.id))
      .limit(limit)
      .offset(offset);
    const [counted] = await tx.select({ total: count() }).from(securityEvents).where(isOwn);
    return {
      events: rows.map(({ id, type, sessionId, ipAddress, userAgent, details, createdAt }) => ({
        id,
        type,
        sessionId,
        ipAddress,
        userAgent,
        details,
        createdAt: createdAt.toISOString(),
      })),
      total: counted?.total ?? 0,
    };
  });
}
