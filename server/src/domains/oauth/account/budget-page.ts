import type { BudgetPage, Problem } from '../../../../../web/src/page.ts';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { changeMandate, readMandate } from '../../credits/index.ts';
import { findClient } from '../../applications/index.ts';
import { findUser } from '../../users/index.ts';
import { toApplicationView } from '../application-view.ts';
import { readCredits } from '../interactions/budget.ts';

export type BudgetPageOptions = { hidden: Record<string, string>; isSaved: boolean; problem?: Problem };

/**
 * The page on which a person changes what an application may spend, which the refusal of a spend links to.
 * Throws `request.not_found`, also for the mandate of an application that is no more.
 */
export async function buildBudgetPage(
  ctx: Ctx,
  caller: Caller,
  mandateId: string,
  { hidden, isSaved, problem }: BudgetPageOptions,
): Promise<BudgetPage> {
  const mandate = await readMandate(ctx, caller, mandateId);
  const { application, user } = await ctx.db.asServiceFor(caller, async (tx) => ({
    application: await findClient(tx, mandate.appId),
    user: await findUser(tx, caller.userId),
  }));
  if (!application || !user) throw new AppError('request.not_found');
  const { allowance, period, maxPerSpend, kinds, used, resetsAt } = mandate;
  return {
    name: 'budget',
    form: { action: `/mandates/${mandateId}`, hidden },
    application: toApplicationView(application),
    account: { email: user.email, name: user.name },
    budget: {
      allowance,
      period,
      maxPerSpend,
      kinds,
      currentAllowance: allowance,
      creditsPerEur: ctx.config.creditsPerEur,
    },
    used,
    resetsAt,
    isSaved,
    problem: problem ?? null,
  };
}

/**
 * Lets an application spend what the person typed in; the next try of the application is judged by it. An
 * empty field: no limit of its own for one spend. Throws `request.invalid`, `request.not_found`,
 * `mandate.revoked`.
 */
export async function saveBudget(
  ctx: Ctx,
  caller: Caller,
  mandateId: string,
  form: { allowance?: string; maxPerSpend?: string },
): Promise<void> {
  const allowance = readCredits(form.allowance, Number.MAX_SAFE_INTEGER, 'allowance');
  const maxPerSpend = readCredits(form.maxPerSpend, Number.MAX_SAFE_INTEGER, 'maxPerSpend') ?? null;
  await changeMandate(ctx, caller, mandateId, {
    ...(allowance === undefined ? {} : { allowance }),
    maxPerSpend,
  });
}
