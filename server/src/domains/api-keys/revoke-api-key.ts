import { eq, sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { recordKeyEvent } from './record-key-event.ts';
import { requireKey, requireOwner, type OwnerChoice } from './require-owner.ts';
import { apiKeys } from './tables.ts';

/**
 * Revokes a key, for good and at once in every process, and with it its budget: what is held under that can
 * still be captured up to its amount. Throws `request.not_found`, `applications.admin_required`.
 */
export async function revokeApiKey(
  ctx: Ctx,
  caller: Caller,
  { keyId, applicationId }: OwnerChoice & { keyId: string },
  origin: RequestOrigin,
): Promise<void> {
  await ctx.db.asServiceFor(caller, async (tx) => {
    const owner = await requireOwner(tx, caller, { applicationId });
    const { name } = await requireKey(tx, owner, keyId);
    const now = ctx.clock.now();
    await tx.update(apiKeys).set({ revokedAt: now, updatedAt: now }).where(eq(apiKeys.id, keyId));
    await tx.execute(
      sql`select credits.change_budget(${keyId}, '{"status": "revoked"}', ${now.toISOString()})`,
    );
    await recordKeyEvent(ctx, tx, { act: 'revoked', caller, owner, keyId, details: { name } }, origin);
  });
}
