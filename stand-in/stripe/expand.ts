import type { World } from '../world.ts';
import { list } from './lists.ts';
import { StripeRefusal } from './refusal.ts';
import type { StripeState } from './state.ts';

type Thing = Record<string, unknown>;

/** Where the things of an id are, by its beginning. */
const collections: Record<string, keyof StripeState> = {
  cus: 'customers',
  cs: 'sessions',
  pi: 'paymentIntents',
  pm: 'paymentMethods',
  ch: 'charges',
  re: 'refunds',
  du: 'disputes',
  prod: 'products',
  price: 'prices',
  sub: 'subscriptions',
  in: 'invoices',
};

/**
 * A copy of an answer with what was asked for in whole (`expand[]=data.customer`) in place of ids, and with
 * the lists that are left out unless asked for.
 */
export function expand(world: World, answer: unknown, paths: string[]): unknown {
  const copy: unknown = structuredClone(answer);
  for (const path of paths) {
    const names = path.split('.');
    if (names.length > 4)
      throw StripeRefusal.wrongParameter('expand', 'You cannot expand more than 4 levels');
    expandPath(world, copy, names, path);
  }
  return copy;
}

function expandPath(world: World, value: unknown, [name, ...rest]: string[], path: string): void {
  if (name === undefined) return;
  if (Array.isArray(value)) {
    for (const item of value) expandPath(world, item, [name, ...rest], path);
    return;
  }
  const thing = value as Thing;
  const inner = thing[name] ?? includable(world, thing, name);
  if (inner === undefined) {
    const message = `This property cannot be expanded (${path}).`;
    throw new StripeRefusal(400, { type: 'invalid_request_error', message });
  }
  thing[name] = typeof inner === 'string' ? wholeOf(world, inner) : inner;
  if (thing[name] !== null && rest.length > 0) expandPath(world, thing[name], rest, path);
}

function wholeOf(world: World, id: string): unknown {
  const collection = collections[id.split('_', 1)[0] ?? ''];
  const things = collection === undefined ? {} : (world.state.stripe[collection] as Thing);
  return structuredClone(things[id] ?? id);
}

/** What is part of an answer only when it is asked for; undefined when there is none such. */
function includable(world: World, thing: Thing, name: string): unknown {
  if (thing[name] === null) return null;
  const { stripe } = world.state;
  const id = String(thing.id);
  if (thing.object === 'checkout.session' && name === 'line_items') {
    const items = stripe.checkoutSecrets[id]?.lineItems ?? [];
    return list(structuredClone(items), false, `/v1/checkout/sessions/${id}/line_items`);
  }
  if (thing.object === 'charge' && name === 'refunds') {
    const refunds = Object.values(stripe.refunds).filter((refund) => refund.charge === id);
    return list(structuredClone(refunds.toReversed()), false, `/v1/charges/${id}/refunds`);
  }
  if (thing.object === 'invoice' && name === 'payments') {
    const payments = Object.values(stripe.invoicePayments).filter((payment) => payment.invoice === id);
    return list(structuredClone(payments.toReversed()), false, `/v1/invoices/${id}/payments`);
  }
  return undefined;
}
