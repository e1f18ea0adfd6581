import { and, eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { readEndpointSecrets } from '../endpoint-secrets.ts';
import { deliveries, endpoints, events } from '../tables.ts';
import type { Endpoint } from '../to-endpoint-object.ts';

/** A delivery that is still to be made, with all that it takes. */
export type Pending = {
  delivery: typeof deliveries.$inferSelect;
  event: typeof events.$inferSelect;
  endpoint: Endpoint;
  secrets: string[];
};

/**
 * The delivery with its event, endpoint and secrets, or undefined when there is nothing left to do: it has
 * arrived, was given up or its endpoint is gone. An endpoint that was switched off meanwhile gives it up.
 */
export async function readPending(ctx: Ctx, deliveryId: string): Promise<Pending | undefined> {
  return ctx.db.asService(async (tx) => {
    const [row] = await tx
      .select({ delivery: deliveries, event: events, endpoint: endpoints })
      .from(deliveries)
      .innerJoin(events, eq(events.id, deliveries.eventId))
      .innerJoin(endpoints, eq(endpoints.id, deliveries.endpointId))
      .where(and(eq(deliveries.id, deliveryId), eq(deliveries.status, 'pending')));
    if (!row) return undefined;
    if (row.endpoint.isEnabled) {
      return { ...row, secrets: await readEndpointSecrets(ctx, tx, row.endpoint.id) };
    }
    await tx
      .update(deliveries)
      .set({ status: 'failed', nextAttemptAt: null, completedAt: ctx.clock.now() })
      .where(and(eq(deliveries.id, deliveryId), eq(deliveries.status, 'pending')));
    return undefined;
  });
}
