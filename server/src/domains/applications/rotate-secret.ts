import { and, desc, eq, gt, inArray, isNull, lt, or } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller, Tx } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { recordAuditEvent, type RequestOrigin } from '../audit/index.ts';
import { addSecret } from './add-secret.ts';
import { requireAdmin } from './require-admin.ts';
import type { RotatedSecret, Rotation } from './schemas.ts';
import { applicationSecrets } from './tables.ts';

const overlapSecondsDefault = 86_400;
/** Several rotations within an overlap are fine; without a bound, each request would compare ever more. */
const previousMax = 4;

/**
 * Gives an application a new secret. Those so far stay valid for the overlap, so that its servers can change
 * one after the other; 0 ends them now. Throws `request.not_found`, `applications.admin_required`,
 * `applications.no_secret`.
 */
export async function rotateSecret(
  ctx: Ctx,
  caller: Caller,
  { id, overlapSeconds = overlapSecondsDefault }: Rotation & { id: string },
  origin: RequestOrigin,
): Promise<RotatedSecret> {
  const endAt = new Date(ctx.clock.now().getTime() + overlapSeconds * 1000);
  return ctx.db.asServiceFor(caller, async (tx) => {
    const { clientId, type } = await requireAdmin(tx, caller.userId, id);
    if (type !== 'confidential') throw new AppError('applications.no_secret');
    await endSecrets(ctx, tx, id, endAt);
    const clientSecret = await addSecret(ctx, tx, id);
    const event = {
      action: 'application.secret_rotated' as const,
      actor: { type: 'user' as const, id: caller.userId },
    };
    const target = { type: 'application', id };
    await recordAuditEvent(ctx, tx, { ...event, target, details: { overlapSeconds } }, origin);
    return { clientId, clientSecret, previousExpireAt: endAt.toISOString() };
  });
}

/** Lets the youngest secrets live until `endAt` at most, and removes the others and the expired ones. */
async function endSecrets(ctx: Ctx, tx: Tx, applicationId: string, endAt: Date): Promise<void> {
  const { id, createdAt, expiresAt } = applicationSecrets;
  const ofApplication = eq(applicationSecrets.applicationId, applicationId);
  await tx.delete(applicationSecrets).where(and(ofApplication, lt(expiresAt, ctx.clock.now())));
  const living = await tx
    .select({ id })
    .from(applicationSecrets)
    .where(ofApplication)
    .orderBy(desc(createdAt), desc(id));
  const tooMany = living.slice(previousMax).map((secret) => secret.id);
  if (tooMany.length > 0) await tx.delete(applicationSecrets).where(inArray(id, tooMany));
  await tx
    .update(applicationSecrets)
    .set({ expiresAt: endAt })
    .where(and(ofApplication, or(isNull(expiresAt), gt(expiresAt, endAt))));
}
