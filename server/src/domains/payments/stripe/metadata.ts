import type { StripeReference } from './shapes.ts';

/** The names under which Obol's own ids go along with what it makes at Stripe. */
export const metadataNames = {
  purchaseId: 'obol_purchase_id',
  subscriptionId: 'obol_subscription_id',
  refundRequestId: 'obol_refund_request_id',
  /** `saved_card` on payments that were made without a checkout. */
  origin: 'obol_origin',
  /** Which configuration of the page for cards and bills is ours. */
  portal: 'obol_portal',
} as const;

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** An id of ours in the metadata of an object; null when it is not there, or not an id. */
export function readOwnId(
  metadata: Record<string, string> | null,
  name: keyof typeof metadataNames,
): string | null {
  const value = metadata?.[metadataNames[name]];
  return value !== undefined && uuid.test(value) ? value : null;
}

/** The id of another object, which Stripe may have put in its place whole. */
export function readReference(reference: StripeReference | undefined): string | null {
  if (reference === undefined || reference === null) return null;
  return typeof reference === 'string' ? reference : reference.id;
}

/** A time of Stripe's, in whole seconds since 1970, in ISO 8601. */
export function toIsoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
