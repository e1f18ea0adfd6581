import { and, eq, isNotNull, isNull, lte, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { newId } from '../../../lib/ids.ts';
import { attempts, deliveries, endpoints } from '../tables.ts';
import { disableEndpoint } from './disable-endpoint.ts';
import type { PostOutcome } from './post-webhook.ts';
import type { Pending } from './claim-deliveries.ts';
import type { Endpoint } from '../to-endpoint-object.ts';
import { removeOldDeliveries } from './remove-old-deliveries.ts';
import { nextWaitSeconds } from './next-wait-seconds.ts';

type Made = { startedAt: Date; outcome: PostOutcome };
/** `hasMoved`: the endpoint has left the address that was asked. */
type Failed = Made & { hasMoved: boolean };

const gone = 410;

/**
 * Writes down what came of an attempt, and in the same transaction what comes next: nothing, another attempt,
 * or the end of the endpoint. An endpoint ends when it says that it is gone, or when a delivery is given up
 * and nothing has arrived there since its first attempt. What an address says that the endpoint has left
 * meanwhile counts for that delivery only.
 */
export async function recordAttempt(ctx: Ctx, pending: Pending, made: Made): Promise<void> {
  await ctx.db.asService(async (tx) => {
    const hasFailed = made.outcome.error !== null;
    const hasMoved = hasFailed && (await lockAddress(tx, pending.endpoint.id)) !== pending.endpoint.url;
    if (!(await addAttempt(ctx, tx, pending, made))) return;
    if (hasFailed) await fail(ctx, tx, pending, { ...made, hasMoved });
    else await complete(ctx, tx, pending, 'succeeded');
    await noteSpeed(tx, pending, made);
    await removeOldDeliveries(ctx, tx);
  });
}

/**
 * Where the endpoint is, now and until the transaction ends; undefined once it is deleted. Asked before its
 * deliveries are written, in the order in which a deletion goes through them.
 */
async function lockAddress(tx: Tx, endpointId: string): Promise<string | undefined> {
  const found = tx.select({ url: endpoints.url }).from(endpoints).where(eq(endpoints.id, endpointId));
  const [endpoint] = await found.for('no key update');
  return endpoint?.url;
}

const isStillThere = ({ id, url }: Endpoint) => and(eq(endpoints.id, id), eq(endpoints.url, url));

/** Counts slow attempts in a row; an endpoint that answers quickly is not written. */
async function noteSpeed(tx: Tx, { endpoint }: Pending, { outcome }: Made): Promise<void> {
  if (!outcome.isSlow && endpoint.slowAttempts === 0) return;
  await tx
    .update(endpoints)
    .set({ slowAttempts: outcome.isSlow ? sql`${endpoints.slowAttempts} + 1` : 0 })
    .where(isStillThere(endpoint));
}

/** False when the delivery has ended meanwhile: another process made it too, or it was deleted. */
async function addAttempt(ctx: Ctx, tx: Tx, { delivery }: Pending, made: Made): Promise<boolean> {
  const { startedAt, outcome } = made;
  const counted = await tx
    .update(deliveries)
    .set({ attemptCount: sql`${deliveries.attemptCount} + 1` })
    .where(and(eq(deliveries.id, delivery.id), eq(deliveries.status, 'pending')));
  if (counted.rowCount === 0) return false;
  await tx.insert(attempts).values({
    id: newId(ctx),
    deliveryId: delivery.id,
    startedAt,
    durationMs: outcome.durationMs,
    statusCode: outcome.statusCode,
    error: outcome.error,
    responseExcerpt: outcome.responseExcerpt,
  });
  return true;
}

async function complete(ctx: Ctx, tx: Tx, { delivery, endpoint }: Pending, status: 'succeeded' | 'failed') {
  await tx
    .update(deliveries)
    .set({ status, nextAttemptAt: null, completedAt: ctx.clock.now() })
    .where(eq(deliveries.id, delivery.id));
  if (status === 'failed') return;
  await tx
    .update(endpoints)
    .set({ firstFailedAt: null })
    .where(and(isStillThere(endpoint), isNotNull(endpoints.firstFailedAt)));
}

async function fail(ctx: Ctx, tx: Tx, pending: Pending, failed: Failed): Promise<void> {
  const { delivery, endpoint } = pending;
  const { startedAt, outcome, hasMoved } = failed;
  await tx
    .update(endpoints)
    .set({ firstFailedAt: startedAt })
    .where(and(isStillThere(endpoint), isNull(endpoints.firstFailedAt)));
  const waitSeconds = nextWaitSeconds(delivery.attemptCount + 1, {
    random: ctx.random,
    retryAfterSeconds: outcome.retryAfterSeconds,
  });
  if (outcome.statusCode === gone && !hasMoved) {
    await complete(ctx, tx, pending, 'failed');
    await disableEndpoint(ctx, tx, endpoint, 'gone');
  } else if (waitSeconds === undefined) {
    await complete(ctx, tx, pending, 'failed');
    if (await hasFailedSinceFirstAttempt(tx, pending)) await disableEndpoint(ctx, tx, endpoint, 'failing');
  } else {
    const nextAttemptAt = new Date(ctx.clock.now().getTime() + waitSeconds * 1000);
    await tx.update(deliveries).set({ nextAttemptAt }).where(eq(deliveries.id, delivery.id));
  }
}

async function hasFailedSinceFirstAttempt(tx: Tx, { delivery, endpoint }: Pending): Promise<boolean> {
  const firstAttemptAt = sql`(select min(a.started_at) from webhooks.attempts a
    where a.delivery_id = ${delivery.id})`;
  const found = await tx.$count(
    endpoints,
    and(isStillThere(endpoint), lte(endpoints.firstFailedAt, firstAttemptAt)),
  );
  return found > 0;
}
