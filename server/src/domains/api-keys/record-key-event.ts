import type { Ctx } from '../../ctx.ts';
import type { Caller, Tx } from '../../db/index.ts';
import { recordAuditEvent, type RequestOrigin } from '../audit/index.ts';
import { recordSecurityEvent } from '../auth/index.ts';
import type { Owner } from './require-owner.ts';

export type KeyEvent = {
  act: 'created' | 'changed' | 'rotated' | 'revoked';
  caller: Caller;
  owner: Owner;
  keyId: string;
  /** Nothing secret. */
  details: Record<string, unknown>;
};

/**
 * Writes what was done to a key, in the transaction of it: for a person's own into their security trail, for
 * an application's into the audit trail. `tx` is the service's.
 */
export async function recordKeyEvent(
  ctx: Ctx,
  tx: Tx,
  { act, caller, owner, keyId, details }: KeyEvent,
  origin: RequestOrigin,
): Promise<void> {
  const { userId, sessionId } = caller;
  if (owner.applicationId === null) {
    const type = `api_key.${act}` as const;
    await recordSecurityEvent(ctx, tx, { type, userId, sessionId, details: { keyId, ...details } }, origin);
    return;
  }
  const event = {
    action: `application.api_key_${act}` as const,
    actor: { type: 'user' as const, id: userId },
    target: { type: 'application', id: owner.applicationId },
    details: { keyId, ...details },
  };
  await recordAuditEvent(ctx, tx, event, origin);
}
