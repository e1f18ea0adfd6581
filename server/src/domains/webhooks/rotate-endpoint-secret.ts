import { and, eq, gt, isNull, lt, or } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { recordAuditEvent, type RequestOrigin } from '../audit/index.ts';
import { addEndpointSecret } from './endpoint-secrets.ts';
import { requireEndpoint } from './require-endpoint.ts';
import type { RotatedSecret, Rotation } from './schemas.ts';
import { endpointSecrets } from './tables.ts';

const overlapSecondsDefault = 86_400;

/**
 * Gives an endpoint a new secret. For the overlap the old one signs too, so that the receiver can change in
 * its own time; 0 ends it now. Throws `request.not_found`, `applications.admin_required`.
 */
export async function rotateEndpointSecret(
  ctx: Ctx,
  caller: Caller,
  { id, overlapSeconds = overlapSecondsDefault }: Rotation & { id: string },
  origin: RequestOrigin,
): Promise<RotatedSecret> {
  const now = ctx.clock.now();
  const endAt = new Date(now.getTime() + overlapSeconds * 1000);
  const { endpointId, expiresAt } = endpointSecrets;
  return ctx.db.asServiceFor(caller, async (tx) => {
    await requireEndpoint(tx, caller.userId, id);
    const ofEndpoint = eq(endpointId, id);
    await tx.delete(endpointSecrets).where(and(ofEndpoint, lt(expiresAt, now)));
    await tx
      .update(endpointSecrets)
      .set({ expiresAt: endAt })
      .where(and(ofEndpoint, or(isNull(expiresAt), gt(expiresAt, endAt))));
    const secret = await addEndpointSecret(ctx, tx, id);
    const event = {
      action: 'endpoint.secret_rotated' as const,
      actor: { type: 'user' as const, id: caller.userId },
    };
    const target = { type: 'endpoint', id };
    await recordAuditEvent(ctx, tx, { ...event, target, details: { overlapSeconds } }, origin);
    return { secret, previousExpireAt: endAt.toISOString() };
  });
}
