import type { BudgetPage, Problem } from '../../../../../web/src/page.ts';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { toUnits } from '../../../lib/exact.ts';
import {
  changeMandate,
  createMandate,
  listOwnMandates,
  readMandate,
  type MandateView,
} from '../../credits/index.ts';
import { findClient } from '../../applications/index.ts';
import { findUser } from '../../users/index.ts';
import { toApplicationView } from '../application-view.ts';
import { budgetSettings, readCredits, toCurrentBudget, type BudgetForm } from '../interactions/budget.ts';

export type BudgetPageOptions = {
  hidden: Record<string, string>;
  isSaved: boolean;
  problem?: Problem;
  /** What was typed in the try before. */
  typed?: BudgetForm;
};

/** What stands in the form for a first budget until the person types something else. */
function suggest({ config }: Ctx) {
  const allowance = toUnits(100, config.creditsScale);
  return { allowance, period: 'month' as const, maxPerSpend: null, kinds: ['free', 'paid'] as Kind[] };
}

type Kind = 'free' | 'paid';

/**
 * The page on which a person changes what an application may spend, which the refusal of a spend links to.
 * Throws `request.not_found`, also for the mandate of an application that is no more, and the budget of a
 * key.
 */
export async function buildBudgetPage(
  ctx: Ctx,
  caller: Caller,
  mandateId: string,
  options: BudgetPageOptions,
): Promise<BudgetPage> {
  const mandate = await readMandate(ctx, caller, mandateId);
  const { appId, allowance, period, maxPerSpend, kinds, used, resetsAt } = mandate;
  if (appId === null) throw new AppError('request.not_found');
  return {
    ...(await commonParts(ctx, caller, appId, options)),
    form: { action: `/mandates/${mandateId}`, hidden: options.hidden },
    budget: {
      allowance,
      period,
      maxPerSpend,
      kinds,
      current: toCurrentBudget(mandate),
      ...budgetSettings(ctx, options.typed),
    },
    used,
    resetsAt,
  };
}

/**
 * The page on which a person lets an application spend for the first time. Throws `request.not_found` when
 * there is no such application.
 */
export async function buildFirstBudgetPage(
  ctx: Ctx,
  caller: Caller,
  appId: string,
  options: Omit<BudgetPageOptions, 'isSaved'>,
): Promise<BudgetPage> {
  return {
    ...(await commonParts(ctx, caller, appId, { ...options, isSaved: false })),
    form: { action: firstBudgetPath(appId), hidden: options.hidden },
    budget: { ...suggest(ctx), current: null, ...budgetSettings(ctx, options.typed) },
    used: 0,
    resetsAt: null,
  };
}

async function commonParts(ctx: Ctx, caller: Caller, appId: string, { isSaved, problem }: BudgetPageOptions) {
  const { application, user } = await ctx.db.asServiceFor(caller, async (tx) => ({
    application: await findClient(tx, appId),
    user: await findUser(tx, caller.userId),
  }));
  if (!application || !user) throw new AppError('request.not_found');
  return {
    name: 'budget' as const,
    application: toApplicationView(application),
    account: { email: user.email, name: user.name },
    isSaved,
    problem: problem ?? null,
  };
}

/** Where a person gives an application its first budget. */
export function firstBudgetPath(appId: string): string {
  return `/mandates/new?${new URLSearchParams({ appId }).toString()}`;
}

/** The mandate that the caller has given to an application and not revoked. */
export async function findOwnMandate(
  ctx: Ctx,
  caller: Caller,
  appId: string,
): Promise<MandateView | undefined> {
  const asked = { userId: caller.userId, clientIds: [appId] };
  const [mandate] = await ctx.db.asServiceFor(caller, (tx) => listOwnMandates(ctx, tx, asked));
  return mandate;
}

/**
 * Lets an application spend what the person typed in; the next try of the application is judged by it, also
 * when it was paused or had run out. An empty field: no limit of its own for one spend. Throws
 * `request.invalid`, `request.not_found`, `mandate.revoked`.
 */
export async function saveBudget(
  ctx: Ctx,
  caller: Caller,
  mandateId: string,
  form: BudgetForm,
): Promise<void> {
  const { allowance, maxPerSpend } = readForm(ctx, form);
  const { status } = await readMandate(ctx, caller, mandateId);
  await changeMandate(ctx, caller, mandateId, {
    ...(allowance === undefined ? {} : { allowance }),
    maxPerSpend,
    status: 'active',
    ...(status === 'expired' ? { expiresAt: null } : {}),
  });
}

/** Gives an application its first budget. Returns its id. Throws `request.invalid`, `mandate.exists`. */
export async function giveBudget(ctx: Ctx, caller: Caller, appId: string, form: BudgetForm): Promise<string> {
  const suggested = suggest(ctx);
  const { allowance = suggested.allowance, maxPerSpend } = readForm(ctx, form);
  const given = { ...suggested, allowance, maxPerSpend, appId, overrun: 'refuse' as const, overrunMax: 0 };
  return (await createMandate(ctx, caller, given)).id;
}

function readForm(
  { config }: Ctx,
  form: BudgetForm,
): { allowance: number | undefined; maxPerSpend: number | null } {
  const most = { scale: config.creditsScale, max: Number.MAX_SAFE_INTEGER };
  return {
    allowance: readCredits(form.allowance, { ...most, name: 'allowance' }),
    maxPerSpend: readCredits(form.maxPerSpend, { ...most, name: 'maxPerSpend' }) ?? null,
  };
}
