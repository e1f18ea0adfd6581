import { nextBillingOf, renewSubscription } from './paypal/bill-subscription.ts';
import { endCapture } from './paypal/capture-payment.ts';
import { settlePayment } from './stripe/complete-session.ts';
import { dueOf, renew } from './stripe/renew.ts';
import { endSession } from './stripe/sessions.ts';
import type { World } from './world.ts';

type Task = { dueMs: number; work: () => void };

/**
 * Does everything that has become due by now, the oldest first, each as of its time: so a year that goes by
 * at once bills twelve months, one after the other.
 */
export function doDueTasks(world: World): void {
  for (;;) {
    const [first] = tasksOf(world).toSorted((one, other) => one.dueMs - other.dueMs);
    if (first === undefined || first.dueMs > world.now().getTime()) return;
    world.at(new Date(first.dueMs), first.work);
  }
}

/** Moves the provider's clock ahead, and does what becomes due by that. */
export function advanceClock(world: World, ms: number): void {
  world.state.aheadMs += ms;
  doDueTasks(world);
}

function tasksOf(world: World): Task[] {
  return [...stripeTasks(world), ...paypalTasks(world)];
}

function stripeTasks(world: World): Task[] {
  const { sessions, settlements, subscriptions } = world.state.stripe;
  return [
    ...Object.values(sessions)
      .filter((session) => session.status === 'open')
      .map((session) => ({ dueMs: session.expires_at * 1000, work: () => void endSession(world, session) })),
    ...settlements.map(({ paymentIntentId, outcome, dueSeconds }) => ({
      dueMs: dueSeconds * 1000,
      work: () => settlePayment(world, paymentIntentId, outcome),
    })),
    ...Object.values(subscriptions).flatMap((subscription) => {
      const due = dueOf(world, subscription);
      return due === null ? [] : [{ dueMs: due * 1000, work: () => renew(world, subscription) }];
    }),
  ];
}

function paypalTasks(world: World): Task[] {
  const { captures, settlements, subscriptions } = world.state.paypal;
  return [
    ...settlements.flatMap(({ captureId, outcome, dueMs }) => {
      const capture = captures[captureId];
      return capture === undefined ? [] : [{ dueMs, work: () => endCapture(world, capture, outcome) }];
    }),
    ...Object.values(subscriptions).flatMap((subscription) => {
      const dueMs = nextBillingOf(subscription);
      return dueMs === null ? [] : [{ dueMs, work: () => renewSubscription(world, subscription) }];
    }),
  ];
}
