import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { readMandate } from './list-mandates.ts';
import { lockBudget } from './lock-budget.ts';
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

/**
 * Requires that the caller has shown lately that it is them, in `tx`, the service's; what knows how is of a
 * later domain.
 */
export type AssertRecent = (ctx: Ctx, caller: Caller, tx: Tx) => Promise<void>;

/**
 * Changes the terms of a mandate of the caller, pauses or resumes it; the next request of the app is judged
 * by them. Under another period, what has been charged since its beginning counts. The budget of a key, which
 * spends by itself, is raised as keys are made: only if `assertRecent` passes. What raises it is judged by
 * the terms that are changed, whoever else changes them at the same time. Throws `request.invalid`,
 * `auth.session_ended`, `request.not_found`, `mandate.revoked`, and what `assertRecent` does.
 */
export async function changeMandate(
  ctx: Ctx,
  caller: Caller,
  mandateId: string,
  given: MandateChanges,
  assertRecent: AssertRecent = refuseKeys,
): Promise<MandateView> {
  const columnsChanged = toColumns(ctx, given);
  if (Object.keys(given).some((name) => name !== 'status')) {
    const { keyId } = await readMandate(ctx, caller, mandateId);
    if (keyId !== null) {
      return writeMandate(ctx, caller, { mandateId, changes: columnsChanged }, async (tx) => {
        const budget = await lockBudget(ctx, tx, keyId);
        if (budget && raisesTerms(budget, given)) await assertRecent(ctx, caller, tx);
      });
    }
  }
  return writeMandate(ctx, caller, { mandateId, changes: columnsChanged });
}

function toColumns(ctx: Ctx, { expiresAt, ...changes }: MandateChanges): Record<string, unknown> {
  const terms = Object.entries(changes).flatMap(([name, value]) => {
    const column = columns[name];
    return column === undefined ? [] : [[column, value] as const];
  });
  return {
    ...Object.fromEntries(terms),
    ...(expiresAt === undefined ? {} : { expires_at: readExpiry(ctx, expiresAt) }),
  };
}

type Changed = { view: MandateView };

const refuseKeys: AssertRecent = () => Promise.reject(new AppError('request.not_found'));

/**
 * Ends a mandate for good: the next spend or hold of the app is refused. What is held already can still be
 * captured, up to its amount, unless the person voids it. A second time changes nothing. Throws
 * `auth.session_ended`, `request.not_found`.
 */
export function revokeMandate(ctx: Ctx, caller: Caller, mandateId: string): Promise<MandateView> {
  return writeMandate(ctx, caller, { mandateId, changes: { status: 'revoked' } });
}

/** In one statement; with a check in one transaction with it, whose locks hold until the change is made. */
async function writeMandate(
  ctx: Ctx,
  caller: Caller,
  { mandateId, changes }: { mandateId: string; changes: Record<string, unknown> },
  check?: (tx: Tx) => Promise<void>,
): Promise<MandateView> {
  const { userId, sessionId } = caller;
  const [text, now] = [JSON.stringify(changes), ctx.clock.now()];
  const [row] = await ctx.turns.take(userId, () => {
    if (!check) {
      const values = [userId, sessionId, mandateId, text, now];
      return ctx.db.call<Changed>('select credits.change_mandate($1, $2, $3, $4, $5) as view', values);
    }
    return ctx.db.asServiceFor(caller, async (tx) => {
      await check(tx);
      const { rows } = await tx.execute<Changed>(sql`
        select credits.change_mandate(${userId}, ${sessionId}, ${mandateId}, ${text}, ${now.toISOString()})
          as view`);
      return rows;
    });
  });
  if (!row) throw new Error('credits.change_mandate returned no row');
  return row.view;
}
