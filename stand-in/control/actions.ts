import { advanceClock } from '../due.ts';
import { endCapture } from '../paypal/capture-payment.ts';
import { closeDispute as closePayPalDispute, openDispute as openPayPalDispute } from '../paypal/disputes.ts';
import { moveSubscription } from '../paypal/subscriptions.ts';
import { failRefund, refundPayment } from '../paypal/refunds.ts';
import { settlePayment } from '../stripe/complete-session.ts';
import { closeDispute, openDispute, warnOfFraud } from '../stripe/disputes.ts';
import { addRefund, endRefund } from '../stripe/refunds.ts';
import { endSubscription, markForCancellation } from '../stripe/subscriptions.ts';
import { emit } from '../stripe/events.ts';
import { calm } from '../webhooks/state.ts';
import type { World } from '../world.ts';
import { Refused, type Input } from './input.ts';
import { chargeOf, isOfStripe } from './payments.ts';

type Action = (world: World, input: Input) => { id: string } | undefined;

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/**
 * What can be done to payments besides paying: what banks, customers and the provider's own staff do, and
 * what time does. Payments are named by any of their ids (`pi_…`, `ch_…`, a capture, the payment of a
 * subscription).
 */
export const actions = {
  dispute(world, input) {
    const payment = input.need('payment');
    const amountCents = input.count('amountCents');
    if (isOfStripe(payment)) return openDispute(world, chargeOf(world, payment), amountCents);
    return { id: openPayPalDispute(world, payment, amountCents).dispute_id };
  },

  'close-dispute'(world, input) {
    const id = input.need('dispute');
    const outcome = input.word('outcome', 'won', 'lost');
    const ofStripe = world.state.stripe.disputes[id];
    if (ofStripe) return closeDispute(world, ofStripe, outcome);
    return { id: closePayPalDispute(world, there(world.state.paypal.disputes[id], id), outcome).dispute_id };
  },

  refund(world, input) {
    const payment = input.need('payment');
    const amount = input.count('amountCents') ?? null;
    if (!isOfStripe(payment)) return refundPayment(world, payment, amount);
    return addRefund(world, chargeOf(world, payment), { amount, reason: null, metadata: {} });
  },

  'end-refund'(world, input) {
    const id = input.need('refund');
    const outcome = input.word('outcome', 'succeeded', 'failed');
    const ofStripe = world.state.stripe.refunds[id];
    if (ofStripe) return endRefund(world, ofStripe, outcome);
    const refund = there(world.state.paypal.refunds[id], id);
    if (outcome === 'failed') failRefund(world, refund);
    return refund;
  },

  /** Ends the wait for the banks. */
  settle(world, input) {
    const payment = input.need('payment');
    const outcome = input.word('outcome', 'succeeds', 'fails');
    if (isOfStripe(payment)) settlePayment(world, payment, outcome);
    else endCapture(world, there(world.state.paypal.captures[payment], payment), outcome);
    return { id: payment };
  },

  'warn-of-fraud': (world, input) => warnOfFraud(world, chargeOf(world, input.need('payment'))),

  /** Has the next bills of a subscription declined, or paid again. */
  'decline-renewals'(world, input) {
    const id = input.need('subscription');
    const secrets = world.state.stripe.subscriptionSecrets[id] ?? world.state.paypal.subscriptionSecrets[id];
    there(secrets, id).declines = input.word('declines', 'yes', 'no') === 'yes';
    return { id };
  },

  /** Has a saved card declined when it is charged, or taken again. */
  'decline-card'(world, input) {
    const id = input.need('paymentMethod');
    const { stripe } = world.state;
    there(stripe.paymentMethods[id], id);
    const others = stripe.declinedMethods.filter((method) => method !== id);
    stripe.declinedMethods = input.word('declines', 'yes', 'no') === 'yes' ? [...others, id] : others;
    return { id };
  },

  /** Ends a subscription: with its period, or at once. PayPal knows the latter only. */
  'cancel-subscription'(world, input) {
    const id = input.need('subscription');
    const subscription = world.state.stripe.subscriptions[id];
    if (!subscription) moveSubscription(world, id, 'cancel');
    else if (input.word('when', 'at-once', 'with-period') === 'at-once') {
      endSubscription(world, subscription, 'cancellation_requested');
    } else {
      markForCancellation(world, subscription, true);
      emit(world, 'customer.subscription.updated', subscription, { cancel_at_period_end: false });
    }
    return { id };
  },

  /** Moves the clock of the providers ahead, and does what becomes due. */
  advance(world, input) {
    const minutes = input.count('minutes') ?? 0;
    const days = input.count('days') ?? 0;
    advanceClock(world, minutes * minuteMs + days * dayMs);
    return undefined;
  },

  /** Throws the switch: what is not named is as it should be. */
  chaos(world, input) {
    world.state.webhooks.chaos = {
      ...calm,
      duplicatePercent: input.percent('duplicatePercent'),
      dropPercent: input.percent('dropPercent'),
      resendUnderNewIdPercent: input.percent('resendUnderNewIdPercent'),
      delaySecondsMax: Math.min(input.count('delaySecondsMax') ?? 0, 3600),
      shuffle: input.has('shuffle'),
    };
    return undefined;
  },

  /** Sends an event once more, delivered or not. */
  resend(world, input) {
    const id = input.need('event');
    const { deliveries } = world.state.webhooks;
    const last = there(
      deliveries.findLast(({ eventId }) => eventId === id),
      id,
    );
    const dueMs = world.sentAt().getTime();
    const again = {
      id: world.newId('delivery_'),
      dueMs,
      attempts: 0,
      outcome: 'waiting',
      lastStatus: null,
    } as const;
    deliveries.push({ ...last, ...again });
    return { id };
  },

  /** Has everything that waits be sent now. */
  'retry-now'(world) {
    for (const delivery of world.state.webhooks.deliveries) {
      if (delivery.outcome === 'waiting') delivery.dueMs = world.sentAt().getTime();
    }
    return undefined;
  },
} as const satisfies Record<string, Action>;

export type ActionName = keyof typeof actions;

/** Whether there is an action of this name. */
export function isActionName(name: string): name is ActionName {
  return Object.hasOwn(actions, name);
}

function there<Value>(value: Value | undefined, id: string): Value {
  if (value === undefined) throw new Refused(`There is no ${id}.`);
  return value;
}
