import { eq, sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { assertRecentSignIn } from '../auth/index.ts';
import { lockBudget, raisesTerms } from '../credits/index.ts';
import { recordKeyEvent } from './record-key-event.ts';
import { requireKey, requireOwner, type OwnerChoice } from './require-owner.ts';
import type { KeyChanges, KeyObject } from './schemas.ts';
import { selectKey } from './select-keys.ts';
import { apiKeys } from './tables.ts';
import { toTerms } from './to-terms.ts';

/**
 * Renames a key, or changes the terms of its budget, which count for the very next spend. Scopes and limits
 * stay what they were made. To raise a budget takes a recent sign-in, as making a key does; lowering it does
 * not. Throws `request.not_found`, `applications.admin_required`, `auth.step_up_required`,
 * `api_keys.no_budget`.
 */
export async function changeApiKey(
  ctx: Ctx,
  caller: Caller,
  { keyId, applicationId, name, budget }: KeyChanges & OwnerChoice & { keyId: string },
  origin: RequestOrigin,
): Promise<KeyObject> {
  return ctx.db.asServiceFor(caller, async (tx) => {
    const owner = await requireOwner(tx, caller, { applicationId });
    const key = await requireKey(tx, owner, keyId);
    const before = budget && (await lockBudget(ctx, tx, keyId));
    if (before && raisesTerms(before, budget)) await assertRecentSignIn(ctx, caller, tx);
    const now = ctx.clock.now();
    await tx
      .update(apiKeys)
      .set({ name: name ?? key.name, updatedAt: now })
      .where(eq(apiKeys.id, keyId));
    if (budget) {
      const { rows } = await tx.execute<{ changed: boolean }>(sql`
        select credits.change_budget(${keyId}, ${JSON.stringify(toTerms(budget))}::jsonb,
                 ${now.toISOString()}) as changed`);
      if (!rows[0]?.changed) throw new AppError('api_keys.no_budget');
    }
    const details = { name: name ?? key.name, ...(budget ? { budget } : {}) };
    await recordKeyEvent(ctx, tx, { act: 'changed', caller, owner, keyId, details }, origin);
    return selectKey(ctx, tx, keyId);
  });
}
