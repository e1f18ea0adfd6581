import { and, eq, gt, isNull, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { hashOpaqueToken } from '../../../lib/secrets.ts';
import { recordAuditEvent, type RequestOrigin } from '../../audit/index.ts';
import { firstAdminLinks, users } from '../tables.ts';
import { hasAdministrator } from './has-administrator.ts';

/**
 * Makes a person the first administrator by the token of the link that a start has printed, and spends it. Of
 * several at once one is. Throws `users.first_admin_link_invalid`: unknown, expired or used, or there is an
 * administrator.
 */
export async function claimFirstAdmin(
  ctx: Ctx,
  { userId, token }: { userId: string; token: string },
  origin: RequestOrigin,
): Promise<void> {
  const now = ctx.clock.now();
  await ctx.db.asService(async (tx) => {
    await tx.execute(sql`select auth.lock_administrators()`);
    const { tokenHash, consumedAt, expiresAt } = firstAdminLinks;
    const spent = await tx
      .update(firstAdminLinks)
      .set({ consumedAt: now })
      .where(and(eq(tokenHash, hashOpaqueToken(token)), isNull(consumedAt), gt(expiresAt, now)));
    if (spent.rowCount === 0 || (await hasAdministrator(tx)))
      throw new AppError('users.first_admin_link_invalid');
    await tx.update(users).set({ role: 'admin', updatedAt: now }).where(eq(users.id, userId));
    const actor = { type: 'user' as const, id: userId };
    const target = { type: 'user', id: userId };
    await recordAuditEvent(ctx, tx, { action: 'user.first_admin', actor, target }, origin);
  });
}

/** Whether the link still works, without using it up: nobody registers by an invented one. */
export async function assertFirstAdminLink(ctx: Ctx, token: string): Promise<void> {
  const works = await ctx.db.asService(
    async (tx) => (await findLink(ctx, tx, token)) && !(await hasAdministrator(tx)),
  );
  if (!works) throw new AppError('users.first_admin_link_invalid');
}

async function findLink(ctx: Ctx, tx: Tx, token: string): Promise<boolean> {
  const { tokenHash, consumedAt, expiresAt } = firstAdminLinks;
  const [link] = await tx
    .select({ id: firstAdminLinks.id })
    .from(firstAdminLinks)
    .where(and(eq(tokenHash, hashOpaqueToken(token)), isNull(consumedAt), gt(expiresAt, ctx.clock.now())));
  return link !== undefined;
}
