import type { Route } from '../lib/router.ts';
import type { World } from '../world.ts';
import { listPayments } from './bill-subscription.ts';
import type { Body } from './body.ts';
import { createPlan, createProduct } from './catalog.ts';
import { listDisputes } from './disputes.ts';
import { captureOrder, createOrder, showOrder } from './orders.ts';
import { PayPalRefusal } from './refusal.ts';
import { createRefund } from './refunds.ts';
import { listEvents, reportTransactions } from './report.ts';
import type { PayPalState } from './state.ts';
import { createSubscription, moveSubscription, reviseSubscription } from './subscriptions.ts';

export type PayPalCall = { id: string; body: Body; query: URLSearchParams };
/** What is answered, and the status of it when that is not 200. */
export type PayPalAnswer = { status?: number; body: unknown };
type Answer = (world: World, call: PayPalCall) => PayPalAnswer;

type Collection = keyof PayPalState &
  ('captures' | 'refunds' | 'products' | 'plans' | 'subscriptions' | 'disputes');

/** A call that reads one thing. */
const read =
  (collection: Collection): Answer =>
  (world, { id }) => {
    const things: Record<string, object> = world.state.paypal[collection];
    const found = Object.hasOwn(things, id) ? things[id] : undefined;
    if (found === undefined) throw PayPalRefusal.notFound();
    return { body: found };
  };

/** A call that makes one thing. */
const make =
  (create: (world: World, call: PayPalCall) => object): Answer =>
  (world, call) => ({ status: 201, body: create(world, call) });

const move =
  (step: 'cancel' | 'suspend' | 'activate'): Answer =>
  (world, { id }) => {
    moveSubscription(world, id, step);
    return { status: 204, body: undefined };
  };

const orders = '/v2/checkout/orders';
const subscriptions = '/v1/billing/subscriptions';

/** The endpoints of PayPal that the stand-in has. */
export const paypalRoutes: readonly Route<Answer>[] = [
  { method: 'POST', path: orders, answer: make((world, { body }) => createOrder(world, body)) },
  { method: 'GET', path: `${orders}/:id`, answer: (world, { id }) => ({ body: showOrder(world, id) }) },
  { method: 'POST', path: `${orders}/:id/capture`, answer: make((world, { id }) => captureOrder(world, id)) },
  { method: 'GET', path: '/v2/payments/captures/:id', answer: read('captures') },
  {
    method: 'POST',
    path: '/v2/payments/captures/:id/refund',
    answer: make((world, { id, body }) => createRefund(world, id, body)),
  },
  { method: 'GET', path: '/v2/payments/refunds/:id', answer: read('refunds') },
  {
    method: 'POST',
    path: '/v1/catalogs/products',
    answer: make((world, { body }) => createProduct(world, body)),
  },
  { method: 'GET', path: '/v1/catalogs/products/:id', answer: read('products') },
  { method: 'POST', path: '/v1/billing/plans', answer: make((world, { body }) => createPlan(world, body)) },
  { method: 'GET', path: '/v1/billing/plans/:id', answer: read('plans') },
  { method: 'POST', path: subscriptions, answer: make((world, { body }) => createSubscription(world, body)) },
  { method: 'GET', path: `${subscriptions}/:id`, answer: read('subscriptions') },
  {
    method: 'POST',
    path: `${subscriptions}/:id/revise`,
    answer: (world, { id, body }) => ({ body: reviseSubscription(world, id, body) }),
  },
  { method: 'POST', path: `${subscriptions}/:id/cancel`, answer: move('cancel') },
  { method: 'POST', path: `${subscriptions}/:id/suspend`, answer: move('suspend') },
  { method: 'POST', path: `${subscriptions}/:id/activate`, answer: move('activate') },
  {
    method: 'GET',
    path: `${subscriptions}/:id/transactions`,
    answer: (world, { id, query }) => ({ body: listPayments(world, id, query) }),
  },
  {
    method: 'GET',
    path: '/v1/customer/disputes',
    answer: (world, { query }) => ({ body: listDisputes(world, query) }),
  },
  { method: 'GET', path: '/v1/customer/disputes/:id', answer: read('disputes') },
  {
    method: 'GET',
    path: '/v1/reporting/transactions',
    answer: (world, { query }) => ({ body: reportTransactions(world, query) }),
  },
  {
    method: 'GET',
    path: '/v1/notifications/webhooks-events',
    answer: (world, { query }) => ({ body: listEvents(world, query) }),
  },
];
