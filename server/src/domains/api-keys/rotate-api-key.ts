import { and, desc, eq, gt, inArray, isNull, lte, or } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller, Tx } from '../../db/index.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { assertRecentSignIn } from '../auth/index.ts';
import { addSecret } from './add-secret.ts';
import { recordKeyEvent } from './record-key-event.ts';
import { requireKey, requireOwner, type OwnerChoice } from './require-owner.ts';
import type { RotatedKey } from './schemas.ts';
import { selectKey } from './select-keys.ts';
import { apiKeySecrets } from './tables.ts';

/** Several rotations within an overlap are fine; without a bound, they would pile up. */
const previousMax = 4;

/**
 * Gives a key a new secret, with the name, scopes, limits, budget and end that it had. The secrets so far
 * stay valid for the overlap, so that whoever uses them can change over; 0 ends them now. Throws
 * `auth.step_up_required`, `request.not_found`, `applications.admin_required`.
 */
export async function rotateApiKey(
  ctx: Ctx,
  caller: Caller,
  { keyId, applicationId, overlapSeconds }: OwnerChoice & { keyId: string; overlapSeconds: number },
  origin: RequestOrigin,
): Promise<RotatedKey> {
  const endAt = new Date(ctx.clock.now().getTime() + overlapSeconds * 1000);
  return ctx.db.asServiceFor(caller, async (tx) => {
    await assertRecentSignIn(ctx, caller, tx);
    const owner = await requireOwner(tx, caller, { applicationId });
    const { name } = await requireKey(tx, owner, keyId);
    await endSecrets(ctx, tx, keyId, endAt);
    const key = await addSecret(ctx, tx, keyId);
    const details = { name, overlapSeconds };
    await recordKeyEvent(ctx, tx, { act: 'rotated', caller, owner, keyId, details }, origin);
    return { ...(await selectKey(ctx, tx, keyId)), key, previousExpireAt: endAt.toISOString() };
  });
}

/**
 * Lets the secrets that would live longest live until `endAt` at most, and removes the others and those that
 * have expired.
 */
async function endSecrets(ctx: Ctx, tx: Tx, keyId: string, endAt: Date): Promise<void> {
  const { id, createdAt, expiresAt } = apiKeySecrets;
  const ofKey = eq(apiKeySecrets.keyId, keyId);
  await tx.delete(apiKeySecrets).where(and(ofKey, lte(expiresAt, ctx.clock.now())));
  const living = await tx
    .select({ id })
    .from(apiKeySecrets)
    .where(ofKey)
    .orderBy(desc(expiresAt), desc(createdAt), desc(id));
  const tooMany = living.slice(previousMax).map((secret) => secret.id);
  if (tooMany.length > 0) await tx.delete(apiKeySecrets).where(inArray(id, tooMany));
  await tx
    .update(apiKeySecrets)
    .set({ expiresAt: endAt })
    .where(and(ofKey, or(isNull(expiresAt), gt(expiresAt, endAt))));
}
