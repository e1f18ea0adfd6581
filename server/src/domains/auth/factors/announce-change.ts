import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import type { Notice } from '../../../jobs/queues.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { recordSecurityEvent } from '../record-security-event.ts';
import type { SecurityEventType } from '../security-event-meanings.ts';

export type Change = {
  user: { id: string; email: string };
  sessionId?: string;
  type: SecurityEventType;
  notice: Notice;
  details?: Record<string, unknown>;
};

/** Writes into the trail, and to the address, what was changed about how somebody signs in: part of `tx`. */
export async function announceChange(
  ctx: Ctx,
  tx: Tx,
  { user, sessionId, type, notice, details = {} }: Change,
  origin: RequestOrigin | null,
): Promise<void> {
  await recordSecurityEvent(ctx, tx, { type, userId: user.id, sessionId, details }, origin);
  const at = ctx.clock.now().toISOString();
  await ctx.jobs.enqueue(tx, 'send-notice-mail', { email: user.email, notice, at });
}
