import { eq } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { toUnits } from '../../lib/exact.ts';
import { newId } from '../../lib/ids.ts';
import { requireAdmin } from '../applications/index.ts';
import { recordAuditEvent, type RequestOrigin } from '../audit/index.ts';
import { checkEndpointUrl } from './check-endpoint-url.ts';
import { addEndpointSecret } from './endpoint-secrets.ts';
import type { EndpointObject, NewEndpoint } from './schemas.ts';
import { endpoints } from './tables.ts';
import { toEndpointObject } from './to-endpoint-object.ts';

const endpointsMax = 10;
const lowBalanceDefaultCredits = 20;

/**
 * Registers an address that hears of the events of an application, with a secret that is shown this once.
 * Throws `request.invalid`, `request.not_found`, `applications.admin_required`,
 * `webhooks.too_many_endpoints`.
 */
export async function createEndpoint(
  ctx: Ctx,
  caller: Caller,
  given: NewEndpoint,
  origin: RequestOrigin,
): Promise<EndpointObject & { secret: string }> {
  const { applicationId, url, eventTypes = null, description = null } = given;
  checkEndpointUrl(ctx.config, url);
  const now = ctx.clock.now();
  const row = {
    id: newId(ctx),
    applicationId,
    url,
    description,
    eventTypes,
    lowBalance: given.lowBalance ?? toUnits(lowBalanceDefaultCredits, ctx.config.creditsScale),
    isEnabled: true,
    disabledReason: null,
    firstFailedAt: null,
    slowAttempts: 0,
    wakesAt: null,
    createdAt: now,
    updatedAt: now,
  };
  return ctx.db.asServiceFor(caller, async (tx) => {
    await requireAdmin(tx, caller.userId, applicationId);
    const count = await tx.$count(endpoints, eq(endpoints.applicationId, applicationId));
    if (count >= endpointsMax) throw new AppError('webhooks.too_many_endpoints');
    await tx.insert(endpoints).values(row);
    const secret = await addEndpointSecret(ctx, tx, row.id);
    const event = {
      action: 'endpoint.created' as const,
      actor: { type: 'user' as const, id: caller.userId },
    };
    const target = { type: 'endpoint', id: row.id };
    await recordAuditEvent(ctx, tx, { ...event, target, details: { applicationId, url } }, origin);
    return { ...toEndpointObject(row), secret };
  });
}
