import { sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { recordSecurityEvent, type SecurityEventType } from '../auth/index.ts';
import { currentExchange } from './exchange.ts';

/** Why an authorization ended by itself. */
export type EndReason = 'revoked' | 'refresh_reused' | 'code_reused';

const eventTypes: Partial<Record<string, SecurityEventType>> = {
  refresh_reused: 'refresh.reused',
  code_reused: 'code.reused',
};

/** Writes into the person's trail that an authorization ended because something was used twice. */
export async function recordEnd(ctx: Ctx, tx: Tx, authorizationId: string, reason: string): Promise<void> {
  const type = eventTypes[reason];
  const origin = currentExchange()?.origin;
  if (!type || !origin) return;
  const { rows } = await tx.execute<{ userId: string; sessionId: string | null; clientId: string }>(sql`
    select a.user_id as "userId", a.session_id as "sessionId", p.client_id as "clientId"
      from oauth.authorizations a join apps.applications p on p.id = a.application_id
     where a.id = ${authorizationId}`);
  const [row] = rows;
  if (!row) return;
  const { userId, sessionId, clientId } = row;
  const event = { type, userId, sessionId: sessionId ?? undefined, details: { clientId } };
  await recordSecurityEvent(ctx, tx, event, origin);
}
