import type { World } from '../world.ts';
import type { Body } from './body.ts';
import { capturePayment } from './capture-payment.ts';
import { newPayPalId, tell, timeOf } from './events.ts';
import { moneyOf, readMoney } from './money.ts';
import { PayPalRefusal, type Link } from './refusal.ts';
import type { Capture, Order, OrderSecrets, Payer } from './state.ts';

/** What is not paid by then is forgotten. */
const lifetimeMs = 3 * 3_600_000;
const payee = { email_address: 'merchant@example.com', merchant_id: 'STANDINMERCHANT' };

/** POST /v2/checkout/orders */
export function createOrder(world: World, body: Body): Order {
  body.choice('intent', 'CAPTURE');
  if (!body.has('intent')) throw PayPalRefusal.missing('/intent');
  const units = body.parts('purchase_units');
  if (units.length !== 1) {
    throw units.length === 0
      ? PayPalRefusal.missing('/purchase_units')
      : PayPalRefusal.unprocessable(
          'UNSUPPORTED_PURCHASE_UNITS',
          'The stand-in knows orders of one unit only.',
        );
  }
  const paypal = body.part('payment_source').part('paypal');
  const hasSource = body.part('payment_source').has('paypal');
  const context = hasSource ? paypal.part('experience_context') : body.part('application_context');
  const id = newPayPalId(world);
  const order: Order = {
    id,
    intent: 'CAPTURE',
    status: hasSource ? 'PAYER_ACTION_REQUIRED' : 'CREATED',
    ...(hasSource ? { payment_source: { paypal: {} } } : {}),
    purchase_units: units.map(buildUnit),
    create_time: timeOf(world),
    links: openLinks(world, id, hasSource),
  };
  world.state.paypal.orders[id] = order;
  world.state.paypal.orderSecrets[id] = {
    returnUrl: context.text('return_url', 4000) ?? `${world.url}/control`,
    cancelUrl: context.text('cancel_url', 4000) ?? `${world.url}/control`,
    email: hasSource ? paypal.text('email_address') : null,
    choice: null,
  };
  return order;
}

function buildUnit(unit: Body): Order['purchase_units'][number] {
  const { cents, currency } = readMoney(unit.part('amount'));
  if (cents === 0)
    throw PayPalRefusal.unprocessable('CANNOT_BE_ZERO_OR_NEGATIVE', 'Must be greater than zero.');
  return {
    reference_id: unit.text('reference_id', 256) ?? 'default',
    amount: moneyOf(cents, currency),
    payee,
    ...optional('description', unit.text('description', 127)),
    ...optional('custom_id', unit.text('custom_id')),
    ...optional('invoice_id', unit.text('invoice_id', 127)),
  };
}

/** A field that is left out when there is nothing to say. */
export function optional<const Name extends string>(
  name: Name,
  value: string | null,
): { [N in Name]?: string } {
  return (value === null ? {} : { [name]: value }) as { [N in Name]?: string };
}

function openLinks(world: World, id: string, hasSource: boolean): Link[] {
  const self = `${world.url}/v2/checkout/orders/${id}`;
  return [
    { href: self, rel: 'self', method: 'GET' },
    { href: `${world.url}/pay/paypal/${id}`, rel: hasSource ? 'payer-action' : 'approve', method: 'GET' },
    ...(hasSource ? [] : [{ href: `${self}/capture`, rel: 'capture', method: 'POST' }]),
  ];
}

/** GET /v2/checkout/orders/:id: with its captures as they are now. */
export function showOrder(world: World, id: string): Order {
  const order = structuredClone(readOrder(world, id));
  const captures = Object.values(world.state.paypal.captures).filter(
    (capture) => capture.supplementary_data.related_ids.order_id === id,
  );
  const [unit] = order.purchase_units;
  if (unit && captures.length > 0) {
    // Within an order, a capture names neither the order nor whom it pays once more.
    unit.payments = { captures: captures.map(withoutOrder) };
  }
  return order;
}

function withoutOrder(capture: Capture): Omit<Capture, 'supplementary_data' | 'payee'> {
  const { supplementary_data: _, payee: __, ...rest } = capture;
  return rest;
}

/** An order that is not forgotten yet. */
export function readOrder(world: World, id: string): Order {
  const order = world.state.paypal.orders[id];
  if (order === undefined || isForgotten(world, order)) throw PayPalRefusal.notFound();
  return order;
}

function isForgotten(world: World, order: Order): boolean {
  return order.status !== 'COMPLETED' && world.now().getTime() > Date.parse(order.create_time) + lifetimeMs;
}

/** What somebody chose on the page of an order: it is approved, and waits to be captured. */
export function approveOrder(world: World, order: Order, choice: NonNullable<OrderSecrets['choice']>): void {
  const secrets = secretsOf(world, order);
  const payer = payerOf(world, secrets.email);
  secrets.choice = choice;
  order.status = 'APPROVED';
  order.payer = payer;
  order.payment_source = {
    paypal: {
      email_address: payer.email_address,
      account_id: payer.payer_id,
      account_status: 'VERIFIED',
      name: payer.name,
      address: payer.address,
    },
  };
  order.update_time = timeOf(world);
  const self = `${world.url}/v2/checkout/orders/${order.id}`;
  order.links = [
    { href: self, rel: 'self', method: 'GET' },
    { href: `${self}/capture`, rel: 'capture', method: 'POST' },
  ];
  tell(
    world,
    {
      type: 'CHECKOUT.ORDER.APPROVED',
      resourceType: 'checkout-order',
      summary: 'An order has been approved by buyer',
      version: '2.0',
    },
    order,
  );
}

/** Whoever pays with PayPal here. The same address is the same account. */
export function payerOf(world: World, email: string | null): Payer {
  const address = email ?? 'buyer@example.com';
  const known = Object.values(world.state.paypal.orders).find(
    (order) => order.payer?.email_address === address,
  );
  return (
    known?.payer ?? {
      name: { given_name: 'Alex', surname: 'Buyer' },
      email_address: address,
      payer_id: newPayPalId(world, 13),
      address: { country_code: 'DE' },
    }
  );
}

/** POST /v2/checkout/orders/:id/capture */
export function captureOrder(world: World, id: string): Order {
  const order = readOrder(world, id);
  if (order.status === 'COMPLETED') {
    throw PayPalRefusal.unprocessable('ORDER_ALREADY_CAPTURED', 'Order already captured.');
  }
  const secrets = secretsOf(world, order);
  if (order.status !== 'APPROVED' || secrets.choice === null) {
    throw PayPalRefusal.unprocessable(
      'ORDER_NOT_APPROVED',
      'Payer has not yet approved the Order for payment.',
    );
  }
  const [unit] = order.purchase_units;
  if (unit === undefined) throw PayPalRefusal.notFound();
  if (isPaidAlready(world, unit.invoice_id)) {
    throw PayPalRefusal.unprocessable('DUPLICATE_INVOICE_ID', 'Duplicate Invoice ID detected.');
  }
  if (secrets.choice === 'decline') {
    secrets.choice = null;
    order.status = 'PAYER_ACTION_REQUIRED';
    order.links = openLinks(world, id, true);
    const redirect = { href: `${world.url}/pay/paypal/${id}`, rel: 'redirect', method: 'GET' };
    throw PayPalRefusal.unprocessable(
      'INSTRUMENT_DECLINED',
      "The instrument presented was either declined by the processor or bank, or it can't be used for this payment.",
      [redirect],
    );
  }
  capturePayment(world, order, secrets.choice);
  order.status = 'COMPLETED';
  order.update_time = timeOf(world);
  order.links = [{ href: `${world.url}/v2/checkout/orders/${id}`, rel: 'self', method: 'GET' }];
  return showOrder(world, id);
}

function isPaidAlready(world: World, invoiceId: string | undefined): boolean {
  if (invoiceId === undefined) return false;
  return Object.values(world.state.paypal.captures).some(
    (capture) => capture.invoice_id === invoiceId && !['DECLINED', 'FAILED'].includes(capture.status),
  );
}

/** What of an order its answers do not show. */
export function secretsOf(world: World, order: Order): OrderSecrets {
  const secrets = world.state.paypal.orderSecrets[order.id];
  if (secrets === undefined) throw new Error(`the order ${order.id} is not complete`);
  return secrets;
}
