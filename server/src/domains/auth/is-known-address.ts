import { and, eq, gte } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import { addressKey } from '../../lib/address.ts';
import { findUserByEmail } from '../users/index.ts';
import { sessions } from './tables.ts';

const rememberedMs = 90 * 86_400_000;

/**
 * Whether a session of this account was opened from this address, or its /64, and used within the last 90
 * days. Asked of the sessions, which are few: under an attack the trail of an account grows long.
 */
export async function isKnownAddress(ctx: Ctx, email: string, address: string): Promise<boolean> {
  return ctx.db.asService(async (tx) => {
    const user = await findUserByEmail(tx, email);
    if (!user) return false;
    const since = new Date(ctx.clock.now().getTime() - rememberedMs);
    const known = await tx
      .selectDistinct({ address: sessions.ipAddress })
      .from(sessions)
      .where(and(eq(sessions.userId, user.id), gte(sessions.lastUsedAt, since)));
    return known.some((session) => session.address && addressKey(session.address) === addressKey(address));
  });
}
