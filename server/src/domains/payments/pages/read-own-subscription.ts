import type { PlanView, SubscriptionView } from '../../../../../web/src/credits-pages.ts';
import type { Form } from '../../../../../web/src/page.ts';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { readSubscription } from '../subscriptions/read-subscription.ts';
import type { SubscriptionView as Subscription } from '../subscriptions/schemas.ts';
import { planPath } from './paths.ts';

/** The caller's subscription; null when there is none, or it has ended. Throws `auth.session_ended`. */
export async function readOwnSubscription(ctx: Ctx, caller: Caller): Promise<Subscription | null> {
  try {
    const subscription = await readSubscription(ctx, caller);
    return subscription.status === 'ended' ? null : subscription;
  } catch (error) {
    if (error instanceof AppError && error.code === 'payments.no_subscription') return null;
    throw error;
  }
}

/** A subscription with what its owner can do about it now. `plans`: those that are offered. */
export function toSubscriptionView(
  subscription: Subscription,
  plans: readonly PlanView[],
  hidden: Record<string, string>,
): SubscriptionView | null {
  const { status, nextPlan, periodEnd, paidUntil, cancelsAtPeriodEnd, checkoutUrl } = subscription;
  if (status === 'ended') return null;
  const plan = toPlan(subscription.plan);
  const formOf = (action: string): Form => ({ action: `${planPath}/${action}`, hidden });
  const choices = choicesOf(plan, nextPlan === null ? null : toPlan(nextPlan), plans);
  const isChangeable = status === 'active' && paidUntil !== null && !cancelsAtPeriodEnd && choices.length > 0;
  return {
    status,
    plan,
    nextPlan: nextPlan === null ? null : toPlan(nextPlan),
    periodEnd,
    endsAtPeriodEnd: cancelsAtPeriodEnd,
    checkoutUrl,
    change: isChangeable ? { form: formOf('change'), choices } : null,
    cancel: cancelsAtPeriodEnd || status === 'incomplete' ? null : formOf('cancel'),
    resume: cancelsAtPeriodEnd ? formOf('resume') : null,
    portal: subscription.provider === 'stripe' && status !== 'opening' ? formOf('portal') : null,
  };
}

/** What it can be changed to: what is billed in the same rhythm, also itself in place of a change to come. */
function choicesOf(plan: PlanView, nextPlan: PlanView | null, plans: readonly PlanView[]): PlanView[] {
  const comparable = plans.filter(
    ({ id, interval, currency }) =>
      id !== plan.id && id !== nextPlan?.id && interval === plan.interval && currency === plan.currency,
  );
  return nextPlan === null ? comparable : [plan, ...comparable];
}

/** A plan as the page shows it. */
export function toPlan({
  id,
  name,
  description,
  credits,
  priceCents,
  currency,
  interval,
}: PlanView): PlanView {
  return { id, name, description, credits, priceCents, currency, interval };
}
