import { and, eq, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { recordAuditEvent } from '../../audit/index.ts';
import { endpoints } from '../tables.ts';
import type { Endpoint } from '../to-endpoint-object.ts';

/**
 * Switches an endpoint off that does not answer, and tells the administrators of its application by mail.
 * `tx` is the service's.
 */
export async function disableEndpoint(
  ctx: Ctx,
  tx: Tx,
  { id, applicationId, url }: Endpoint,
  reason: 'failing' | 'gone',
): Promise<void> {
  const disabled = await tx
    .update(endpoints)
    .set({ isEnabled: false, disabledReason: reason, updatedAt: ctx.clock.now() })
    .where(and(eq(endpoints.id, id), eq(endpoints.isEnabled, true)));
  if (disabled.rowCount === 0) return;
  await recordAuditEvent(ctx, tx, {
    action: 'endpoint.disabled',
    actor: { type: 'system' },
    target: { type: 'endpoint', id },
    details: { applicationId, url, reason },
  });
  const { rows } = await tx.execute<{ email: string }>(sql`
    select u.email from apps.memberships m join auth.users u on u.id = m.user_id
     where m.application_id = ${applicationId} and m.role = 'admin' and u.is_active order by u.email`);
  for (const { email } of rows) {
    await ctx.jobs.enqueue(tx, 'send-endpoint-notice', { endpointId: id, email });
  }
}
