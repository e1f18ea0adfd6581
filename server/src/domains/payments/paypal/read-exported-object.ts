import { AppError } from '../../../errors.ts';
import type { Fact } from '../fact.ts';
import { JsonError, readLinkedId, readMember, readObject, readOptionalText, type Json } from './json.ts';
import { firstUnitOf, readPayeeId } from './merchant.ts';
import { captureToCheckoutFact, toCheckoutFact } from './to-checkout-fact.ts';
import { reversalToDisputeFact, toDisputeFacts } from './to-dispute-facts.ts';
import { saleRefundToRefundFact, toRefundFact } from './to-refund-fact.ts';

/**
 * Reads an order, capture, refund or case of PayPal's API, or an event about one, as exports hold them. Bills
 * of subscriptions name too little of what they are for to be read without asking PayPal; they have no facts,
 * nor has what pays somebody else than `merchantId` by its own words. Throws `request.invalid`.
 */
export function readExportedObject(object: unknown, merchantId: string): Fact[] {
  try {
    const whole = readObject(object, 'the line');
    const type = readOptionalText(whole, 'event_type');
    if (type === null) return readResource(whole, merchantId);
    const resource = readObject(whole.resource, 'resource');
    return type.endsWith('.REVERSED')
      ? [reversalToDisputeFact(resource)]
      : readResource(resource, merchantId);
  } catch (cause) {
    if (cause instanceof JsonError) throw new AppError('request.invalid', { cause });
    throw cause;
  }
}

/** Resources do not say what they are: each is known by what only it has. */
function readResource(resource: Json, merchantId: string): Fact[] {
  // Where nobody has said who we are, nobody can be told apart: exports are read without asking PayPal.
  const isOurs = (of: Json) => merchantId === '' || [null, merchantId].includes(readPayeeId(of));
  if (resource.purchase_units !== undefined)
    return isOurs(firstUnitOf(resource)) ? [toCheckoutFact(resource)] : [];
  if (resource.dispute_id !== undefined) return toDisputeFacts(resource);
  if (resource.sale_id !== undefined) return [saleRefundToRefundFact(resource)];
  if (readLinkedId(resource, { rel: 'up', path: '/v2/payments/captures/' }) !== null)
    return [toRefundFact(resource)];
  const related = readMember(readMember(resource, 'supplementary_data') ?? {}, 'related_ids');
  const orderId = readLinkedId(resource, { rel: 'up', path: '/v2/checkout/orders/' });
  const isCapture = related !== null || orderId !== null;
  return isCapture && isOurs(resource) ? [captureToCheckoutFact(resource)] : [];
}
