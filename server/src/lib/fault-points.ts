import { readFile } from 'node:fs/promises';

/**
 * Places at which tests let the process die, one behind each step of a payment, to see that it is finished
 * once the service is back. The file that `FAULT_POINT_FILE` names holds the place, and is read at each of
 * them, so that a service can be told while it runs; in production it has no effect.
 */
export type FaultPoint =
  | 'purchase.begun'
  | 'purchase.opened'
  | 'purchase.attached'
  | 'purchase.refused'
  | 'purchase.expired'
  | 'purchase.read'
  | 'purchase.applied'
  | 'paypal.approved'
  | 'webhook.verified'
  | 'webhook.stored'
  | 'subscription.begun'
  | 'subscription.priced'
  | 'subscription.opened'
  | 'subscription.attached'
  | 'subscription.change-noted'
  | 'subscription.changed'
  | 'subscription.cancelled'
  | 'top-up.begun'
  | 'top-up.charged'
  | 'top-up.attached'
  | 'refund.begun'
  | 'refund.sent'
  | 'refund.refused'
  | 'refund.found'
  | 'refund.applied'
  | 'warning.answered';

const file = process.env.NODE_ENV === 'production' ? undefined : process.env.FAULT_POINT_FILE;

/** Ends the process as `kill -9` does if this is the place that was chosen. */
export async function reachFaultPoint(name: FaultPoint): Promise<void> {
  if (file === undefined || (await readFile(file, 'utf8').catch(() => '')) !== name) return;
  process.kill(process.pid, 'SIGKILL');
  // The signal may take a moment; nothing more is done until then.
  await new Promise(() => {});
}
