import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { newId } from '../../lib/ids.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { securityEvents } from './tables.ts';

/** What can stand in a person's trail. Codes are stable; see the README of this domain. */
export type SecurityEventType =
  | 'account.registered'
  | 'account.imported'
  | 'login.succeeded'
  | 'login.failed'
  | 'session.shared'
  | 'session.ended'
  | 'sessions.ended'
  | 'refresh.reused'
  | 'code.reused'
  | 'password.changed'
  | 'password.reset_requested'
  | 'password.reset'
  | 'password.upgraded'
  | 'email.verified'
  | 'email.verification_requested'
  | 'access.requested'
  | 'access.withdrawn'
  | 'access.approved'
  | 'access.denied'
  | 'access.role_changed'
  | 'access.removed'
  | 'grant.given'
  | 'grant.revoked';

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
  await tx.insert(securityEvents).values({
    id: newId(ctx),
    userId: event.userId ?? null,
    sessionId: event.sessionId ?? null,
    type: event.type,
    ipAddress: origin?.ipAddress ?? null,
    userAgent: origin?.userAgent ?? null,
    details: event.details ?? {},
    createdAt: ctx.clock.now(),
  });
}
