import type { SubscriptionView } from '../credits-pages.ts';
import { texts } from '../texts.ts';
import { Offers } from './offers.tsx';
import { PageForm, Submit } from './page-form.tsx';
import { Part } from './part.tsx';
import { offersOf } from './shop.tsx';

const words = texts.credits;

/** The plan that somebody has, and what they can do about it. */
export function Subscription({ subscription, scale }: { subscription: SubscriptionView; scale: number }) {
  const { status, plan, checkoutUrl, change, cancel, resume, portal } = subscription;
  return (
    <Part heading={`${words.subscription}: ${plan.name}`} lead={words.subscriptionLead(plan, scale)}>
      {status === 'past_due' && <p className="caution">{words.pastDue}</p>}
      {status !== 'past_due' && <p>{standingOf(subscription)}</p>}
      {portal !== null && (
        <PageForm form={portal}>
          <Submit kind={status === 'past_due' ? 'main' : 'other'}>{words.portal}</Submit>
        </PageForm>
      )}
      {checkoutUrl !== null && (
        <a className="button other" href={checkoutUrl}>
          {words.payNow}
        </a>
      )}
      {change !== null && (
        <details>
          <summary>{words.change}</summary>
          <PageForm form={change.form} className="stack">
            <Offers
              legend={words.changeTo}
              name="planId"
              offers={offersOf(change.choices, scale)}
              chosen={change.choices[0]?.id}
            />
            <p className="hint">{words.changeHint}</p>
            <Submit kind="other">{words.change}</Submit>
          </PageForm>
        </details>
      )}
      {resume !== null && (
        <PageForm form={resume}>
          <Submit kind="other">{words.resume}</Submit>
        </PageForm>
      )}
      {cancel !== null && (
        <PageForm form={cancel}>
          <Submit kind="quiet">{status === 'opening' ? words.cancelOpening : words.cancel}</Submit>
        </PageForm>
      )}
    </Part>
  );
}

/** What happens next, in a sentence or two. */
function standingOf({ status, periodEnd, endsAtPeriodEnd, nextPlan }: SubscriptionView): string {
  if (status === 'opening') return words.opening;
  if (status === 'incomplete' || periodEnd === null) return words.incomplete;
  if (endsAtPeriodEnd) return words.ends(periodEnd);
  const next = nextPlan === null ? '' : ` ${words.changes(nextPlan)}`;
  return `${words.renews(periodEnd)}${next}`;
}
