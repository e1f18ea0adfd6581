import type { Route } from '../lib/router.ts';
import type { World } from '../world.ts';
import type { Body } from './body.ts';
import { captureOrder, createOrder, showOrder } from './orders.ts';
import { PayPalRefusal } from './refusal.ts';

export type PayPalCall = { id: string; body: Body; query: URLSearchParams };
/** What is answered, and the status of it when that is not 200. */
export type PayPalAnswer = { status?: number; body: unknown };
type Answer = (world: World, call: PayPalCall) => PayPalAnswer;

/** A call that reads one thing. */
const read =
  (collection: 'captures'): Answer =>
  (world, { id }) => {
    const things: Record<string, object> = world.state.paypal[collection];
    const found = Object.hasOwn(things, id) ? things[id] : undefined;
    if (found === undefined) throw PayPalRefusal.notFound();
    return { body: found };
  };

/** The endpoints of PayPal that the stand-in has. */
export const paypalRoutes: readonly Route<Answer>[] = [
  {
    method: 'POST',
    path: '/v2/checkout/orders',
    answer: (world, { body }) => ({ status: 201, body: createOrder(world, body) }),
  },
  {
    method: 'GET',
    path: '/v2/checkout/orders/:id',
    answer: (world, { id }) => ({ body: showOrder(world, id) }),
  },
  {
    method: 'POST',
    path: '/v2/checkout/orders/:id/capture',
    answer: (world, { id }) => ({ status: 201, body: captureOrder(world, id) }),
  },
  { method: 'GET', path: '/v2/payments/captures/:id', answer: read('captures') },
];
