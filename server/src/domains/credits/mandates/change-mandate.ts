import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { readMandate } from './list-mandates.ts';
import { raisesTerms } from './raises-terms.ts';
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

/** Requires that the caller has shown lately that it is them; what knows how is of a later domain. */
export type AssertRecent = (ctx: Ctx, caller: Caller) => Promise<void>;

/**
 * Changes the terms of a mandate of the caller, pauses or resumes it; the next request of the app is judged
 * by them. Under another period, what has been charged since its beginning counts. The budget of a key, which
 * spends by itself, is raised as keys are made: only if `assertRecent` passes. Throws `request.invalid`,
 * `auth.session_ended`, `request.not_found`, `mandate.revoked`, and what `assertRecent` does.
 */
export async function changeMandate(
  ctx: Ctx,
  caller: Caller,
  mandateId: string,
  given: MandateChanges,
  assertRecent: AssertRecent = refuseKeys,
): Promise<MandateView> {
  const { expiresAt, ...changes } = given;
  if (Object.keys(given).some((name) => name !== 'status')) {
    const mandate = await readMandate(ctx, caller, mandateId);
    if (mandate.keyId !== null && raisesTerms(mandate, given)) await assertRecent(ctx, caller);
  }
  const terms = Object.entries(changes).flatMap(([name, value]) => {
    const column = columns[name];
    return column === undefined ? [] : [[column, value] as const];
  });
  return writeMandate(ctx, caller, mandateId, {
    ...Object.fromEntries(terms),
    ...(expiresAt === undefined ? {} : { expires_at: readExpiry(ctx, expiresAt) }),
  });
}

const refuseKeys: AssertRecent = () => Promise.reject(new AppError('request.not_found'));

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
