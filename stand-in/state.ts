import type { PayPalState } from './paypal/state.ts';
import { emptyPayPalState } from './paypal/state.ts';
import type { StripeState } from './stripe/state.ts';
import { emptyStripeState } from './stripe/state.ts';
import type { WebhookState } from './webhooks/state.ts';
import { emptyWebhookState } from './webhooks/state.ts';

/** Everything that the stand-in knows. It is plain data, so that it can be written to a file. */
export type State = {
  /** How far the provider's clock is ahead of the true one. */
  aheadMs: number;
  stripe: StripeState;
  paypal: PayPalState;
  webhooks: WebhookState;
};

export function emptyState(): State {
  return {
    aheadMs: 0,
    stripe: emptyStripeState(),
    paypal: emptyPayPalState(),
    webhooks: emptyWebhookState(),
  };
}
