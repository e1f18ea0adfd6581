import type { Ctx } from '../../ctx.ts';
import { later, type Tx } from '../../db/index.ts';
import { newId } from '../../lib/ids.ts';
import type { RequestOrigin } from '../audit/index.ts';
import type { SecurityEventType } from './security-event-meanings.ts';
import { securityEvents } from './tables.ts';

export type SecurityEvent = {
  type: SecurityEventType;
  /** Absent when the account is unknown; the row is written all the same, so that both cost the same. */
  userId?: string | undefined;
  sessionId?: string | undefined;
  /** Nothing secret, nothing that the owner may not read. */
  details?: Record<string, unknown>;
};

/**
 * Appends to the security trail, in the transaction of what happened. `tx` is the service's. What somebody
 * else did has no `origin`: where they did it from is not for the owner of the trail to read.
 */
export async function recordSecurityEvent(
  ctx: Ctx,
  tx: Tx,
  event: SecurityEvent,
  origin: RequestOrigin | null,
): Promise<void> {
  await later(tx)
    .insert(securityEvents)
    .values(securityEventRow(ctx, event, origin));
}

/** The row of such an event, for a statement that writes it among other things. */
export function securityEventRow(
  ctx: Ctx,
  event: SecurityEvent,
  origin: RequestOrigin | null,
): typeof securityEvents.$inferInsert {
  return {
    id: newId(ctx),
    userId: event.userId ?? null,
    sessionId: event.sessionId ?? null,
    type: event.type,
    ipAddress: origin?.ipAddress ?? null,
    userAgent: origin?.userAgent ?? null,
    details: event.details ?? {},
    createdAt: ctx.clock.now(),
  };
}
