import { eq } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { recordAuditEvent, type RequestOrigin } from '../audit/index.ts';
import { checkEndpointUrl } from './check-endpoint-url.ts';
import { requireEndpoint } from './require-endpoint.ts';
import type { EndpointChanges, EndpointObject } from './schemas.ts';
import { endpoints } from './tables.ts';
import { toEndpointObject, type Endpoint } from './to-endpoint-object.ts';

/**
 * Changes what is named of an endpoint; what is absent stays. Switched on again, or at another address, it
 * starts with a clean record. Throws `request.invalid`, `request.not_found`, `applications.admin_required`.
 */
export async function updateEndpoint(
  ctx: Ctx,
  caller: Caller,
  { id, changes }: { id: string; changes: EndpointChanges },
  origin: RequestOrigin,
): Promise<EndpointObject> {
  if (changes.url !== undefined) checkEndpointUrl(ctx.config, changes.url);
  const { isEnabled, ...fields } = changes;
  return ctx.db.asServiceFor(caller, async (tx) => {
    const current = await requireEndpoint(tx, caller.userId, id);
    const record = { ...moved(current, changes.url), ...switched(current, isEnabled) };
    const values = { ...fields, ...record, updatedAt: ctx.clock.now() };
    const [endpoint] = await tx.update(endpoints).set(values).where(eq(endpoints.id, id)).returning();
    if (!endpoint) throw new Error('The endpoint is not there');
    const event = {
      action: 'endpoint.changed' as const,
      actor: { type: 'user' as const, id: caller.userId },
    };
    const details = { fields: Object.keys(changes) };
    await recordAuditEvent(ctx, tx, { ...event, target: { type: 'endpoint', id }, details }, origin);
    return toEndpointObject(endpoint);
  });
}

function moved(current: Endpoint, url: string | undefined): Partial<Endpoint> {
  return url === undefined || url === current.url ? {} : { firstFailedAt: null, slowAttempts: 0 };
}

function switched(current: Endpoint, isEnabled: boolean | undefined): Partial<Endpoint> {
  if (isEnabled === undefined || isEnabled === current.isEnabled) return {};
  return isEnabled
    ? { isEnabled, disabledReason: null, firstFailedAt: null }
    : { isEnabled, disabledReason: 'requested' };
}
