import type { Ctx } from '../../../ctx.ts';
import { claimDeliveries } from './claim-deliveries.ts';
import { deliverWebhook } from './deliver-webhook.ts';
import type { Resolve } from '../../../lib/find-addresses.ts';

/** What became of a turn: whether there may be more to do, and whether the endpoint keeps others waiting. */
export type TurnEnd = { hasMore: boolean; isSlow: boolean };

const parallelMax = 5;
const turnMs = 5000;

/**
 * One turn of an endpoint: delivers what is due there, for some seconds at most. The first request goes
 * alone; while answers come quickly, five go at once. A slow answer ends the turn.
 */
export async function serveEndpoint(
  ctx: Ctx,
  endpointId: string,
  { resolve, isStopping }: { resolve?: Resolve | undefined; isStopping: () => boolean },
): Promise<TurnEnd> {
  const endsAtMs = performance.now() + turnMs;
  let countMax = 1;
  while (performance.now() < endsAtMs && !isStopping()) {
    const claimed = await claimDeliveries(ctx, endpointId, countMax);
    if (claimed.length === 0) return { hasMore: false, isSlow: false };
    const outcomes = await Promise.all(claimed.map((pending) => deliverWebhook(ctx, pending, resolve)));
    if (outcomes.some(({ isSlow }) => isSlow)) return { hasMore: true, isSlow: true };
    countMax = parallelMax;
  }
  return { hasMore: true, isSlow: false };
}
