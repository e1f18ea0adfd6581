import type { CheckoutFact } from '../fact.ts';
import {
  JsonError,
  readLinkedId,
  readList,
  readMember,
  readOptionalText,
  readText,
  toOwnId,
  type Json,
} from './json.ts';
import { firstUnitOf } from './merchant.ts';
import { readMoney } from './money.ts';

type Status = CheckoutFact['status'];

const statusOfOrder: Record<string, Status> = {
  CREATED: 'open',
  SAVED: 'open',
  PAYER_ACTION_REQUIRED: 'open',
  APPROVED: 'processing',
  COMPLETED: 'processing',
  VOIDED: 'expired',
};

/** A capture that was refunded since has been paid all the same: the refund is a fact of its own. */
const statusOfCapture: Record<string, Status> = {
  PENDING: 'processing',
  DECLINED: 'failed',
  FAILED: 'failed',
  COMPLETED: 'paid',
  PARTIALLY_REFUNDED: 'paid',
  REFUNDED: 'paid',
};

/**
 * How a checkout stands, from its order (Orders v2): as its capture does, once there is one. The amount is
 * what was captured, or what is to be. Throws JsonError when PayPal says something else than it documents.
 */
export function toCheckoutFact(order: Json): CheckoutFact {
  const checkoutId = readText(order, 'id');
  const unit = firstUnitOf(order);
  const payer = readMember(order, 'payer');
  const customerId = payer && readOptionalText(payer, 'payer_id');
  const capture = furthestCapture(unit);
  const of = capture ?? unit;
  const purchaseId =
    readOptionalText(unit, 'custom_id') ?? (capture && readOptionalText(capture, 'custom_id'));
  return {
    kind: 'checkout',
    checkoutId,
    purchaseId: toOwnId(purchaseId),
    paymentId: capture && readText(capture, 'id'),
    status: capture ? readCaptureStatus(capture) : readStatus(statusOfOrder, order),
    ...readMoney(of, 'amount'),
    customerId,
  };
}

/**
 * How a checkout stands, from its capture alone (Payments v2). Captures name their order; one that does not
 * is known by its own id. Throws JsonError.
 */
export function captureToCheckoutFact(capture: Json): CheckoutFact {
  const paymentId = readText(capture, 'id');
  const related = readMember(readMember(capture, 'supplementary_data') ?? {}, 'related_ids') ?? {};
  const linked = readLinkedId(capture, { rel: 'up', path: '/v2/checkout/orders/' });
  return {
    kind: 'checkout',
    checkoutId: readOptionalText(related, 'order_id') ?? linked ?? paymentId,
    purchaseId: toOwnId(readOptionalText(capture, 'custom_id')),
    paymentId,
    status: readCaptureStatus(capture),
    ...readMoney(capture, 'amount'),
    customerId: null,
  };
}

function readCaptureStatus(capture: Json): Status {
  return readStatus(statusOfCapture, capture);
}

function readStatus(statuses: Record<string, Status>, of: Json): Status {
  const status = statuses[readText(of, 'status')];
  if (status === undefined) throw new JsonError('status is unknown');
  return status;
}

/**
 * A declined capture may be followed by another one, with another card: the one that brought money counts.
 */
function furthestCapture(unit: Json): Json | null {
  const captures = readList(readMember(unit, 'payments') ?? {}, 'captures');
  const wanted: Status[] = ['paid', 'processing', 'failed'];
  for (const status of wanted) {
    const found = captures.find((capture) => readCaptureStatus(capture) === status);
    if (found) return found;
  }
  return null;
}
