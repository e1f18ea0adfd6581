import type { Form } from '../lib/form.ts';
import type { World } from '../world.ts';
import { mergeMetadata } from './customers.ts';
import { emit } from './events.ts';
import { find } from './find.ts';
import { listParameters, pageOf } from './lists.ts';
import { StripeRefusal } from './refusal.ts';
import { idOf, type Plan, type Price, type Product } from './wire.ts';

/** POST /v1/products */
export function createProduct(world: World, form: Form): Product {
  form.only(
    'id',
    'name',
    'description',
    'metadata',
    'active',
    'tax_code',
    'statement_descriptor',
    'url',
    'expand',
  );
  const id = form.text('id') ?? world.newId('prod_', 14);
  if (Object.hasOwn(world.state.stripe.products, id)) {
    throw StripeRefusal.wrongState('Product already exists.', 'resource_already_exists');
  }
  const product = addProduct(world, id, form);
  emit(world, 'product.created', product);
  return product;
}

function addProduct(world: World, id: string, form: Form): Product {
  const product: Product = {
    id,
    object: 'product',
    active: form.flag('active') ?? true,
    created: world.seconds(),
    default_price: null,
    description: form.text('description'),
    images: [],
    livemode: false,
    marketing_features: [],
    metadata: form.table('metadata'),
    name: form.needText('name'),
    package_dimensions: null,
    shippable: null,
    statement_descriptor: form.text('statement_descriptor'),
    tax_code: form.text('tax_code'),
    tax_details: null,
    type: 'service',
    unit_label: null,
    updated: world.seconds(),
    url: form.text('url'),
  };
  world.state.stripe.products[id] = product;
  return product;
}

/** POST /v1/products/:id */
export function updateProduct(world: World, form: Form, id: string): Product {
  form.only('name', 'description', 'metadata', 'active', 'tax_code', 'expand');
  const product = find(world, 'products', id);
  if (form.has('name')) product.name = form.needText('name');
  if (form.has('description')) product.description = form.text('description');
  product.active = form.flag('active') ?? product.active;
  product.metadata = mergeMetadata(product.metadata, form.table('metadata'));
  product.updated = world.seconds();
  emit(world, 'product.updated', product);
  return product;
}

/** GET /v1/products */
export function listProducts(world: World, form: Form) {
  form.only(...listParameters, 'active', 'ids');
  const active = form.flag('active');
  const ids = form.texts('ids');
  const products = Object.values(world.state.stripe.products);
  const wanted = products.filter(
    (product) =>
      (active === null || product.active === active) && (ids.length === 0 || ids.includes(product.id)),
  );
  return pageOf(wanted, form, '/v1/products');
}

const priceParameters = ['currency', 'unit_amount', 'product', 'product_data', 'recurring', 'tax_behavior'];

/** POST /v1/prices */
export function createPrice(world: World, form: Form): Price {
  form.only(
    ...priceParameters,
    'lookup_key',
    'transfer_lookup_key',
    'metadata',
    'nickname',
    'active',
    'expand',
  );
  const key = form.text('lookup_key');
  const holder = Object.values(world.state.stripe.prices).find((price) => price.lookup_key === key);
  if (key !== null && holder) {
    if (form.flag('transfer_lookup_key') !== true) {
      throw StripeRefusal.wrongState(
        `A price (\`${holder.id}\`) already uses that lookup key.`,
        'resource_already_exists',
      );
    }
    holder.lookup_key = null;
  }
  const price = addPrice(world, form);
  price.lookup_key = key;
  price.metadata = form.table('metadata');
  price.nickname = form.text('nickname');
  price.active = form.flag('active') ?? true;
  emit(world, 'price.created', price);
  return price;
}

/** A price as a call describes it, also within a line of a checkout. */
export function addPrice(world: World, form: Form): Price {
  const unitAmount = form.needInteger('unit_amount');
  if (unitAmount < 0) throw StripeRefusal.wrongParameter(form.nameOf('unit_amount'), 'must not be negative');
  const recurring = form.has('recurring') ? form.part('recurring') : null;
  const price: Price = {
    id: world.newId('price_'),
    object: 'price',
    active: true,
    billing_scheme: 'per_unit',
    created: world.seconds(),
    currency: form.needText('currency').toLowerCase(),
    custom_unit_amount: null,
    livemode: false,
    lookup_key: null,
    metadata: {},
    nickname: null,
    product: productOf(world, form),
    recurring: recurring && {
      interval: recurring.choice('interval', 'month', 'year', 'day', 'week'),
      interval_count: recurring.integer('interval_count') ?? 1,
      meter: null,
      trial_period_days: null,
      usage_type: 'licensed',
    },
    tax_behavior: form.choice('tax_behavior', 'unspecified', 'inclusive', 'exclusive'),
    tiers_mode: null,
    transform_quantity: null,
    type: recurring === null ? 'one_time' : 'recurring',
    unit_amount: unitAmount,
    unit_amount_decimal: String(unitAmount),
  };
  world.state.stripe.prices[price.id] = price;
  return price;
}

function productOf(world: World, form: Form): string {
  const id = form.text('product');
  if (id !== null) return find(world, 'products', id, form.nameOf('product')).id;
  if (!form.has('product_data')) throw StripeRefusal.missingParameter(form.nameOf('product'));
  const data = form
    .part('product_data')
    .only('name', 'description', 'metadata', 'images', 'tax_code', 'unit_label');
  return addProduct(world, world.newId('prod_', 14), data).id;
}

/** POST /v1/prices/:id */
export function updatePrice(world: World, form: Form, id: string): Price {
  form.only('active', 'metadata', 'nickname', 'lookup_key', 'transfer_lookup_key', 'tax_behavior', 'expand');
  const price = find(world, 'prices', id);
  price.active = form.flag('active') ?? price.active;
  if (form.has('nickname')) price.nickname = form.text('nickname');
  if (form.has('lookup_key')) price.lookup_key = form.text('lookup_key');
  price.metadata = mergeMetadata(price.metadata, form.table('metadata'));
  emit(world, 'price.updated', price);
  return price;
}

/** GET /v1/prices */
export function listPrices(world: World, form: Form) {
  form.only(...listParameters, 'active', 'product', 'lookup_keys', 'currency', 'type');
  const active = form.flag('active');
  const product = form.text('product');
  const keys = form.texts('lookup_keys');
  const prices = Object.values(world.state.stripe.prices);
  const wanted = prices.filter(
    (price) =>
      (active === null || price.active === active) &&
      (product === null || idOf(price.product) === product) &&
      (keys.length === 0 || keys.includes(price.lookup_key ?? '')),
  );
  return pageOf(wanted, form, '/v1/prices');
}

/** The form that prices of subscriptions had before, which items still show. */
export function planOf(price: Price): Plan {
  return {
    id: price.id,
    object: 'plan',
    active: price.active,
    amount: price.unit_amount,
    amount_decimal: price.unit_amount_decimal,
    billing_scheme: 'per_unit',
    created: price.created,
    currency: price.currency,
    interval: price.recurring?.interval ?? 'month',
    interval_count: price.recurring?.interval_count ?? 1,
    livemode: false,
    metadata: price.metadata,
    meter: null,
    nickname: price.nickname,
    product: price.product,
    tiers_mode: null,
    transform_usage: null,
    trial_period_days: null,
    usage_type: 'licensed',
  };
}
