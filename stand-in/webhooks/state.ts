import type { Certificates } from '../lib/certificates.ts';

export type Provider = 'stripe' | 'paypal';

/**
 * One event on its way to one address. `body` are the bytes that are signed and sent, the same at each
 * attempt.
 */
export type Delivery = {
  id: string;
  provider: Provider;
  eventId: string;
  type: string;
  body: string;
  dueMs: number;
  attempts: number;
  outcome: 'waiting' | 'delivered' | 'dropped' | 'given up';
  lastStatus: number | null;
};

/** How deliveries go wrong on purpose. Chances are percentages. */
export type Chaos = {
  duplicatePercent: number;
  dropPercent: number;
  resendUnderNewIdPercent: number;
  delaySecondsMax: number;
  shuffle: boolean;
};

export type WebhookState = {
  deliveries: Delivery[];
  /** What PayPal's webhooks are signed with, made at the first start. */
  certificates: Certificates | null;
  chaos: Chaos;
};

export const calm: Chaos = {
  duplicatePercent: 0,
  dropPercent: 0,
  resendUnderNewIdPercent: 0,
  delaySecondsMax: 0,
  shuffle: false,
};

export function emptyWebhookState(): WebhookState {
  return { deliveries: [], certificates: null, chaos: { ...calm } };
}
