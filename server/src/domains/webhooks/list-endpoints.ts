import { asc, eq } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { requireAdmin } from '../applications/index.ts';
import { requireEndpoint } from './require-endpoint.ts';
import type { EndpointObject } from './schemas.ts';
import { endpoints } from './tables.ts';
import { toEndpointObject } from './to-endpoint-object.ts';

/**
 * The endpoints of an application, the oldest first, for one of its administrators. Throws
 * `request.not_found`, `applications.admin_required`.
 */
export async function listEndpoints(
  ctx: Ctx,
  caller: Caller,
  applicationId: string,
): Promise<EndpointObject[]> {
  const rows = await ctx.db.asServiceFor(caller, async (tx) => {
    await requireAdmin(tx, caller.userId, applicationId);
    return tx
      .select()
      .from(endpoints)
      .where(eq(endpoints.applicationId, applicationId))
      .orderBy(asc(endpoints.createdAt), asc(endpoints.id));
  });
  return rows.map(toEndpointObject);
}

/** One endpoint, for an administrator. Throws `request.not_found`, `applications.admin_required`. */
export async function readEndpoint(ctx: Ctx, caller: Caller, id: string): Promise<EndpointObject> {
  return toEndpointObject(await ctx.db.asServiceFor(caller, (tx) => requireEndpoint(tx, caller.userId, id)));
}
