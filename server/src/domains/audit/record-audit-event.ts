import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { newId } from '../../lib/ids.ts';
import type { AuditAction } from './event-types.ts';
import { auditEvents } from './tables.ts';

/** Where a request came from. `ipAddress` is the client's, as far as trusted proxies say. */
export type RequestOrigin = {
  ipAddress: string;
  userAgent: string | null;
  /** At a sign-in: by what the browser is recognised. Never stored. */
  deviceCookie?: string;
};

export type AuditEvent = {
  /** What was done, dotted: `user.role_changed`, `keys.rotated`. */
  action: AuditAction;
  actor: { type: 'user' | 'operator' | 'system' | 'application'; id?: string };
  target?: { type: string; id: string };
  /** In the words of whoever did it; forgotten with the person it is about. */
  reason?: string | undefined;
  /**
   * Nothing secret, and nothing personal but ids: this is read by every administrator and kept for ever.
   */
  details?: Record<string, unknown>;
};

/**
 * Appends to the audit trail, in the transaction of what was done. `tx` is the service's; nobody can alter a
 * row.
 */
export async function recordAuditEvent(
  ctx: Ctx,
  tx: Tx,
  event: AuditEvent,
  origin?: RequestOrigin,
): Promise<void> {
  await tx.insert(auditEvents).values({
    id: newId(ctx),
    action: event.action,
    actorType: event.actor.type,
    actorId: event.actor.id ?? null,
    targetType: event.target?.type ?? null,
    targetId: event.target?.id ?? null,
    reason: event.reason ?? null,
    ipAddress: origin?.ipAddress ?? null,
    details: event.details ?? {},
    createdAt: ctx.clock.now(),
  });
}
