import type { Form } from '../lib/form.ts';
import type { Route } from '../lib/router.ts';
import type { World } from '../world.ts';
import { createCustomer, listCustomers, updateCustomer } from './customers.ts';
import { acceptDispute, listDisputes, listFraudWarnings } from './disputes.ts';
import { find } from './find.ts';
import { createIntent, listIntents, updateIntent } from './intents.ts';
import { listInvoicePayments, listInvoices, voidInvoiceById } from './invoices.ts';
import { listEvents } from './list-events.ts';
import { list } from './lists.ts';
import { detachPaymentMethod, listPaymentMethods } from './payment-methods.ts';
import {
  createPortalConfiguration,
  createPortalSession,
  listPortalConfigurations,
  updatePortalConfiguration,
} from './portal.ts';
import {
  createPrice,
  createProduct,
  listPrices,
  listProducts,
  updatePrice,
  updateProduct,
} from './prices.ts';
import { createRefund, listCharges, listRefunds, updateRefund } from './refunds.ts';
import { createSession, expireSession, listSessions } from './sessions.ts';
import { cancelSubscription, listSubscriptions, updateSubscription } from './subscriptions.ts';

type Answer = (world: World, form: Form, id: string) => unknown;

/** A call that reads one thing. */
const read =
  (collection: Parameters<typeof find>[1]): Answer =>
  (world, form, id) =>
    find(world, collection, (form.only('expand'), id));

const lineItems: Answer = (world, form, id) => {
  form.only('limit', 'starting_after', 'ending_before', 'expand');
  const session = find(world, 'sessions', id);
  const items = world.state.stripe.checkoutSecrets[session.id]?.lineItems ?? [];
  return list(items, false, `/v1/checkout/sessions/${id}/line_items`);
};

/** The endpoints of Stripe that the stand-in has. */
export const stripeRoutes: readonly Route<Answer>[] = [
  { method: 'POST', path: '/v1/checkout/sessions', answer: createSession },
  { method: 'GET', path: '/v1/checkout/sessions', answer: listSessions },
  { method: 'GET', path: '/v1/checkout/sessions/:id', answer: read('sessions') },
  { method: 'GET', path: '/v1/checkout/sessions/:id/line_items', answer: lineItems },
  { method: 'POST', path: '/v1/checkout/sessions/:id/expire', answer: expireSession },
  { method: 'POST', path: '/v1/customers', answer: createCustomer },
  { method: 'GET', path: '/v1/customers', answer: listCustomers },
  { method: 'GET', path: '/v1/customers/:id', answer: read('customers') },
  { method: 'POST', path: '/v1/customers/:id', answer: updateCustomer },
  { method: 'GET', path: '/v1/customers/:id/payment_methods', answer: listPaymentMethods },
  { method: 'GET', path: '/v1/payment_methods', answer: (world, form) => listPaymentMethods(world, form) },
  { method: 'GET', path: '/v1/payment_methods/:id', answer: read('paymentMethods') },
  { method: 'POST', path: '/v1/payment_methods/:id/detach', answer: detachPaymentMethod },
  { method: 'POST', path: '/v1/payment_intents', answer: createIntent },
  { method: 'GET', path: '/v1/payment_intents', answer: listIntents },
  { method: 'GET', path: '/v1/payment_intents/:id', answer: read('paymentIntents') },
  { method: 'POST', path: '/v1/payment_intents/:id', answer: updateIntent },
  { method: 'GET', path: '/v1/charges', answer: listCharges },
  { method: 'GET', path: '/v1/charges/:id', answer: read('charges') },
  { method: 'POST', path: '/v1/refunds', answer: createRefund },
  { method: 'GET', path: '/v1/refunds', answer: listRefunds },
  { method: 'GET', path: '/v1/refunds/:id', answer: read('refunds') },
  { method: 'POST', path: '/v1/refunds/:id', answer: updateRefund },
  { method: 'GET', path: '/v1/disputes', answer: listDisputes },
  { method: 'GET', path: '/v1/disputes/:id', answer: read('disputes') },
  { method: 'POST', path: '/v1/disputes/:id/close', answer: acceptDispute },
  { method: 'GET', path: '/v1/radar/early_fraud_warnings', answer: listFraudWarnings },
  { method: 'POST', path: '/v1/products', answer: createProduct },
  { method: 'GET', path: '/v1/products', answer: listProducts },
  { method: 'GET', path: '/v1/products/:id', answer: read('products') },
  { method: 'POST', path: '/v1/products/:id', answer: updateProduct },
  { method: 'POST', path: '/v1/prices', answer: createPrice },
  { method: 'GET', path: '/v1/prices', answer: listPrices },
  { method: 'GET', path: '/v1/prices/:id', answer: read('prices') },
  { method: 'POST', path: '/v1/prices/:id', answer: updatePrice },
  { method: 'GET', path: '/v1/subscriptions', answer: listSubscriptions },
  { method: 'GET', path: '/v1/subscriptions/:id', answer: read('subscriptions') },
  { method: 'POST', path: '/v1/subscriptions/:id', answer: updateSubscription },
  { method: 'DELETE', path: '/v1/subscriptions/:id', answer: cancelSubscription },
  { method: 'GET', path: '/v1/invoices', answer: listInvoices },
  { method: 'GET', path: '/v1/invoices/:id', answer: read('invoices') },
  { method: 'POST', path: '/v1/invoices/:id/void', answer: voidInvoiceById },
  { method: 'GET', path: '/v1/invoice_payments', answer: listInvoicePayments },
  { method: 'GET', path: '/v1/invoice_payments/:id', answer: read('invoicePayments') },
  { method: 'POST', path: '/v1/billing_portal/configurations', answer: createPortalConfiguration },
  { method: 'GET', path: '/v1/billing_portal/configurations', answer: listPortalConfigurations },
  { method: 'POST', path: '/v1/billing_portal/configurations/:id', answer: updatePortalConfiguration },
  { method: 'POST', path: '/v1/billing_portal/sessions', answer: createPortalSession },
  { method: 'GET', path: '/v1/events', answer: listEvents },
  { method: 'GET', path: '/v1/events/:id', answer: read('events') },
];
