import type { Form } from '../lib/form.ts';
import type { World } from '../world.ts';
import { emit } from './events.ts';
import { find } from './find.ts';
import { listParameters, pageOf } from './lists.ts';
import type { Customer } from './wire.ts';

type NewCustomer = { email: string | null; name: string | null; metadata: Record<string, string> };

/** POST /v1/customers */
export function createCustomer(world: World, form: Form): Customer {
  form.only('email', 'name', 'metadata', 'description', 'phone', 'preferred_locales', 'expand');
  return addCustomer(world, {
    email: form.text('email'),
    name: form.text('name'),
    metadata: form.table('metadata'),
  });
}

/** A new customer, whoever wants one. */
export function addCustomer(world: World, { email, name, metadata }: NewCustomer): Customer {
  const customer: Customer = {
    id: world.newId('cus_', 14),
    object: 'customer',
    address: null,
    balance: 0,
    created: world.seconds(),
    currency: null,
    customer_account: null,
    default_source: null,
    delinquent: false,
    description: null,
    discount: null,
    email,
    invoice_prefix: world.randomText(8, 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'),
    invoice_settings: {
      custom_fields: null,
      default_payment_method: null,
      footer: null,
      rendering_options: null,
    },
    livemode: false,
    metadata,
    name,
    next_invoice_sequence: 1,
    phone: null,
    preferred_locales: [],
    shipping: null,
    tax_exempt: 'none',
    test_clock: null,
  };
  world.state.stripe.customers[customer.id] = customer;
  emit(world, 'customer.created', customer);
  return customer;
}

/** POST /v1/customers/:id */
export function updateCustomer(world: World, form: Form, id: string): Customer {
  form.only('email', 'name', 'metadata', 'description', 'invoice_settings', 'expand');
  const customer = find(world, 'customers', id);
  if (form.has('email')) customer.email = form.text('email');
  if (form.has('name')) customer.name = form.text('name');
  if (form.has('description')) customer.description = form.text('description');
  const method = form.part('invoice_settings').text('default_payment_method');
  if (method !== null) {
    customer.invoice_settings.default_payment_method = find(
      world,
      'paymentMethods',
      method,
      'invoice_settings[default_payment_method]',
    ).id;
  }
  customer.metadata = mergeMetadata(customer.metadata, form.table('metadata'));
  emit(world, 'customer.updated', customer);
  return customer;
}

/** GET /v1/customers */
export function listCustomers(world: World, form: Form) {
  form.only(...listParameters, 'email');
  const email = form.text('email');
  const customers = Object.values(world.state.stripe.customers);
  const wanted = customers.filter((customer) => email === null || customer.email === email);
  return pageOf(wanted, form, '/v1/customers');
}

/** Metadata as it is after a change: empty texts take names out. */
export function mergeMetadata(
  before: Record<string, string>,
  changes: Record<string, string>,
): Record<string, string> {
  const merged = Object.entries({ ...before, ...changes });
  return Object.fromEntries(merged.filter(([, value]) => value !== ''));
}
