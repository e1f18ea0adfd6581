import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { readExpiry } from './read-expiry.ts';
import type { MandateChanges, MandateView } from './schemas.ts';

/** The columns that terms are kept in. */
const columns: Record<string, string> = {
  allowance: 'allowance',
  period: 'period',
  kinds: 'kinds',
  maxPerSpend: 'spend_max',
  overrun: 'overrun',
  overrunMax: 'overrun_max',
  status: 'status',
};

/**
 * Changes the terms of a mandate of the caller, pauses or resumes it; the next request of the app is judged
 * by them. Under another period, what has been charged since its beginning counts. Throws `request.invalid`,
 * `auth.session_ended`, `request.not_found`, `mandate.revoked`.
 */
export async function changeMandate(
  ctx: Ctx,
  caller: Caller,
  mandateId: string,
  { expiresAt, ...changes }: MandateChanges,
): Promise<MandateView> {
  const terms = Object.entries(changes).flatMap(([name, value]) => {
    const column = columns[name];
    return column === undefined ? [] : [[column, value] as const];
  });
  return writeMandate(ctx, caller, mandateId, {
    ...Object.fromEntries(terms),
    ...(expiresAt === undefined ? {} : { expires_at: readExpiry(ctx, expiresAt) }),
  });
}

/**
 * Ends a mandate for good: the next spend or hold of the app is refused. What is held already can still be
 * captured, up to its amount, unless the person voids it. A second time changes nothing. Throws
 * `auth.session_ended`, `request.not_found`.
 */
export function revokeMandate(ctx: Ctx, caller: Caller, mandateId: string): Promise<MandateView> {
  return writeMandate(ctx, caller, mandateId, { status: 'revoked' });
}

async function writeMandate(
  ctx: Ctx,
  caller: Caller,
  mandateId: string,
  changes: Record<string, unknown>,
): Promise<MandateView> {
  const [row] = await ctx.turns.take(caller.userId, () =>
    ctx.db.call<{ view: MandateView }>('select credits.change_mandate($1, $2, $3, $4, $5) as view', [
      caller.userId,
      caller.sessionId,
      mandateId,
      JSON.stringify(changes),
      ctx.clock.now(),
    ]),
  );
  if (!row) throw new Error('credits.change_mandate returned no row');
  return row.view;
}
