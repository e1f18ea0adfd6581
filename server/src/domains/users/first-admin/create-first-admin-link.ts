import type { Ctx } from '../../../ctx.ts';
import { newId } from '../../../lib/ids.ts';
import { hashOpaqueToken, newOpaqueToken } from '../../../lib/secrets.ts';
import { firstAdminLinks } from '../tables.ts';
import { hasAdministrator } from './has-administrator.ts';

const lifetimeMs = 86_400_000;

/**
 * An address that makes whoever opens it the first administrator, once, within a day; undefined when there is
 * one already. Every start makes one of its own; all are void once there is an administrator.
 */
export async function createFirstAdminLink(ctx: Ctx): Promise<string | undefined> {
  const now = ctx.clock.now();
  const token = newOpaqueToken(ctx.random);
  return ctx.db.asService(async (tx) => {
    if (await hasAdministrator(tx)) return undefined;
    await tx.insert(firstAdminLinks).values({
      id: newId(ctx),
      tokenHash: hashOpaqueToken(token),
      createdAt: now,
      expiresAt: new Date(now.getTime() + lifetimeMs),
    });
    return `${ctx.config.baseUrl}/first-admin?token=${token}`;
  });
}
