import { and, asc, eq, isNotNull, isNull, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { recordSecurityEvent } from '../record-security-event.ts';
import { sessions } from '../tables.ts';

/**
 * Ends the sessions of who has just switched a second factor on that stand for bearer tokens of other issuers
 * and were opened without one, also the one by which it is switched on: other tokens may stand for it, and
 * it would live for as long as new ones come. Comes before that session is strengthened. Devices that are
 * signed in here stay, until their sessions end. Does nothing where the word of those issuers is enough.
 * `tx` is the service's and holds the lock of the person.
 */
export async function endForeignSessions(
  ctx: Ctx,
  tx: Tx,
  userId: string,
  origin: RequestOrigin,
): Promise<void> {
  if (ctx.config.trustedIssuersMfa) return;
  const isEnded = and(
    eq(sessions.userId, userId),
    isNotNull(sessions.accountId),
    isNull(sessions.cookieHash),
    isNull(sessions.revokedAt),
    sql`not 'mfa' = any(${sessions.amr})`,
  );
  await tx.select({ id: sessions.id }).from(sessions).where(isEnded).orderBy(asc(sessions.id)).for('update');
  const reason = 'second_factor';
  const changes = { revokedAt: ctx.clock.now(), revokedReason: reason };
  const { rowCount } = await tx.update(sessions).set(changes).where(isEnded);
  if (!rowCount) return;
  const details = { reason, count: rowCount };
  await recordSecurityEvent(ctx, tx, { type: 'sessions.ended', userId, details }, origin);
}
