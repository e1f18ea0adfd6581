import { AppError } from '../../../errors.ts';
import type { Fact } from '../facts.ts';
import { JsonError, readLinkedId, readMember, readObject, readOptionalText, type Json } from './json.ts';
import { captureToCheckoutFact, toCheckoutFact } from './to-checkout-fact.ts';
import { reversalToDisputeFact, toDisputeFacts } from './to-dispute-facts.ts';
import { saleRefundToRefundFact, toRefundFact } from './to-refund-fact.ts';

/**
 * Reads an order, capture, refund or case of PayPal's API, or an event about one, as exports hold them. Bills
 * of subscriptions name too little of what they are for to be read without asking PayPal; they have no facts.
 * Throws `request.invalid`.
 */
export function readExportedObject(object: unknown): Fact[] {
  try {
    const whole = readObject(object, 'the line');
    const type = readOptionalText(whole, 'event_type');
    if (type === null) return readResource(whole);
    const resource = readObject(whole.resource, 'resource');
    return type.endsWith('.REVERSED') ? [reversalToDisputeFact(resource)] : readResource(resource);
  } catch (cause) {
    if (cause instanceof JsonError) throw new AppError('request.invalid', { cause });
    throw cause;
  }
}

/** Resources do not say what they are: each is known by what only it has. */
function readResource(resource: Json): Fact[] {
  if (resource.purchase_units !== undefined) return [toCheckoutFact(resource)];
  if (resource.dispute_id !== undefined) return toDisputeFacts(resource);
  if (resource.sale_id !== undefined) return [saleRefundToRefundFact(resource)];
  if (readLinkedId(resource, { rel: 'up', path: '/v2/payments/captures/' }) !== null)
    return [toRefundFact(resource)];
  const related = readMember(readMember(resource, 'supplementary_data') ?? {}, 'related_ids');
  const orderId = readLinkedId(resource, { rel: 'up', path: '/v2/checkout/orders/' });
  return related !== null || orderId !== null ? [captureToCheckoutFact(resource)] : [];
}
