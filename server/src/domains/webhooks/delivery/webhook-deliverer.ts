import type { Ctx } from '../../../ctx.ts';
import { deliverWebhook, postponeDelivery } from './deliver-webhook.ts';
import type { Resolve } from '../../../lib/find-addresses.ts';
import { readPending, type Pending } from './read-pending.ts';

export type WebhookDeliverer = (job: { deliveryId: string }) => Promise<void>;

/** One endpoint that answers slowly must not keep the others waiting. */
const parallelPerEndpointMax = 5;

/**
 * Does the jobs that deliver events, at most a few at once for each endpoint; what is beyond that is put off
 * for some seconds. Rejects only when the database fails: the job is tried again then.
 */
export function createWebhookDeliverer(ctx: Ctx, resolve?: Resolve): WebhookDeliverer {
  const inFlight = new Map<string, number>();
  const run = async (pending: Pending): Promise<void> => {
    const { id } = pending.endpoint;
    const count = inFlight.get(id) ?? 0;
    if (count >= parallelPerEndpointMax) return postponeDelivery(ctx, pending);
    inFlight.set(id, count + 1);
    try {
      await deliverWebhook(ctx, pending, resolve);
    } finally {
      const left = (inFlight.get(id) ?? 1) - 1;
      if (left > 0) inFlight.set(id, left);
      else inFlight.delete(id);
    }
  };
  return async ({ deliveryId }) => {
    const pending = await readPending(ctx, deliveryId);
    if (pending) await run(pending);
  };
}
