import { sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import { AppError } from '../../errors.ts';
import { recordAuditEvent, type RequestOrigin } from '../audit/index.ts';
import type { Caller } from '../../db/index.ts';
import { readPaymentEvent } from './list-payment-events.ts';
import type { EventDetail } from './schemas.ts';

/**
 * Applies once more what an event said, on an administrator's word, and notes it in the audit trail: what is
 * in place already does not happen again. Returns the event as it is then. Throws `auth.session_ended`,
 * `auth.admin_required`, `request.not_found`.
 */
export async function replayPaymentEvent(
  ctx: Ctx,
  caller: Caller,
  eventId: string,
  origin: RequestOrigin,
): Promise<EventDetail> {
  const { creditsDailyFree, creditsDailyCap } = ctx.config;
  await ctx.db.asAdministrator(caller, async (tx) => {
    const now = ctx.clock.now().toISOString();
    const { rows } = await tx.execute<{ outcome: string | null }>(
      sql`select payments.replay_event(${eventId}, ${now}, ${creditsDailyFree}, ${creditsDailyCap}) as outcome`,
    );
    const outcome = rows[0]?.outcome ?? null;
    if (outcome === null) throw new AppError('request.not_found');
    const actor = { type: 'user' as const, id: caller.userId };
    const target = { type: 'payment_event', id: eventId };
    await recordAuditEvent(
      ctx,
      tx,
      { action: 'payments.event_replayed', actor, target, details: { outcome } },
      origin,
    );
  });
  return readPaymentEvent(ctx, caller, eventId);
}
