/**
 * Places at which tests let the process die, one behind each step of a payment, to see that it is finished
 * once the service is back. `FAULT_POINT` names one; in production it has no effect.
 */
export type FaultPoint =
  | 'purchase.begun'
  | 'purchase.opened'
  | 'purchase.attached'
  | 'purchase.read'
  | 'purchase.applied'
  | 'webhook.verified'
  | 'webhook.stored'
  | 'top-up.begun'
  | 'top-up.charged'
  | 'refund.begun'
  | 'refund.sent'
  | 'refund.applied';

const chosen = process.env.NODE_ENV === 'production' ? undefined : process.env.FAULT_POINT;

/** Ends the process as `kill -9` does if this is the place that was chosen. */
export async function reachFaultPoint(name: FaultPoint): Promise<void> {
  if (name !== chosen) return;
  process.kill(process.pid, 'SIGKILL');
  // The signal may take a moment; nothing more is done until then.
  await new Promise(() => {});
}
