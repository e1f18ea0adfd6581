import type { World } from '../world.ts';
import { newPayPalId, tell, timeOf } from './events.ts';
import { centsOf, moneyOf } from './money.ts';
import type { Capture, Order } from './state.ts';

/** How long the banks take, by the clock of the stand-in. */
const banksMs = 60_000;

/** Takes the money of an approved order, at once or when the banks have spoken. */
export function capturePayment(
  world: World,
  order: Order,
  choice: 'pay' | 'pay-later' | 'fail-later',
): Capture {
  const unit = order.purchase_units[0];
  if (unit === undefined) throw new Error(`the order ${order.id} is empty`);
  const id = newPayPalId(world);
  const self = `${world.url}/v2/payments/captures/${id}`;
  const now = timeOf(world);
  const capture: Capture = {
    id,
    status: 'PENDING',
    status_details: { reason: 'ECHECK' },
    amount: unit.amount,
    payee: unit.payee,
    ...(unit.invoice_id === undefined ? {} : { invoice_id: unit.invoice_id }),
    ...(unit.custom_id === undefined ? {} : { custom_id: unit.custom_id }),
    seller_protection: {
      status: 'ELIGIBLE',
      dispute_categories: ['ITEM_NOT_RECEIVED', 'UNAUTHORIZED_TRANSACTION'],
    },
    final_capture: true,
    supplementary_data: { related_ids: { order_id: order.id } },
    create_time: now,
    update_time: now,
    links: [
      { href: self, rel: 'self', method: 'GET' },
      { href: `${self}/refund`, rel: 'refund', method: 'POST' },
      { href: `${world.url}/v2/checkout/orders/${order.id}`, rel: 'up', method: 'GET' },
    ],
  };
  world.state.paypal.captures[id] = capture;
  if (choice === 'pay') {
    endCapture(world, capture, 'succeeds');
    return capture;
  }
  world.state.paypal.settlements.push({
    captureId: id,
    outcome: choice === 'pay-later' ? 'succeeds' : 'fails',
    dueMs: world.now().getTime() + banksMs,
  });
  report(world, capture, 'P');
  tellOf(world, capture, 'PENDING', 'is pending');
  return capture;
}

/** What comes of a capture, at once or after the banks have spoken. */
export function endCapture(world: World, capture: Capture, outcome: 'succeeds' | 'fails'): void {
  const { paypal } = world.state;
  paypal.settlements = paypal.settlements.filter((item) => item.captureId !== capture.id);
  if (capture.status !== 'PENDING') return;
  delete capture.status_details;
  capture.update_time = timeOf(world);
  if (outcome === 'fails') {
    capture.status = 'DECLINED';
    report(world, capture, 'D');
    tellOf(world, capture, 'DENIED', 'was denied');
    return;
  }
  const cents = centsOf(capture.amount);
  const currency = capture.amount.currency_code;
  const feeCents = feeOf(cents);
  capture.status = 'COMPLETED';
  capture.seller_receivable_breakdown = {
    gross_amount: capture.amount,
    paypal_fee: moneyOf(feeCents, currency),
    net_amount: moneyOf(cents - feeCents, currency),
  };
  report(world, capture, 'S');
  tellOf(world, capture, 'COMPLETED', 'completed');
}

/** How a capture stands in the report of transactions. */
function report(world: World, capture: Capture, status: 'S' | 'P' | 'D'): void {
  const { movements } = world.state.paypal;
  const known = movements.find(({ id }) => id === capture.id);
  if (known) {
    known.status = status;
    return;
  }
  movements.push({
    id: capture.id,
    code: 'T0006',
    referenceId: null,
    amountCents: centsOf(capture.amount),
    currency: capture.amount.currency_code,
    status,
    customId: capture.custom_id ?? null,
    invoiceId: capture.invoice_id ?? null,
    at: capture.create_time,
  });
}

/** What PayPal keeps: 2.99 % and 39 cents, or all of it. */
export function feeOf(cents: number): number {
  return Math.min(cents, Math.round((cents * 299) / 10_000) + 39);
}

function tellOf(
  world: World,
  capture: Capture,
  what: 'PENDING' | 'COMPLETED' | 'DENIED',
  words: string,
): void {
  const { value, currency_code: currency } = capture.amount;
  tell(
    world,
    {
      type: `PAYMENT.CAPTURE.${what}`,
      resourceType: 'capture',
      summary: `Payment ${words} for ${currency} ${value}`,
      version: '2.0',
    },
    capture,
  );
}
