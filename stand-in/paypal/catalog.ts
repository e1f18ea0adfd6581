import type { World } from '../world.ts';
import type { Body } from './body.ts';
import { newPayPalId, timeOf } from './events.ts';
import { moneyOf, readMoney } from './money.ts';
import { optional } from './orders.ts';
import { PayPalRefusal } from './refusal.ts';
import type { Plan, Product } from './state.ts';

/** POST /v1/catalogs/products */
export function createProduct(world: World, body: Body): Product {
  const id = body.text('id', 50) ?? `PROD-${newPayPalId(world)}`;
  if (Object.hasOwn(world.state.paypal.products, id)) {
    throw PayPalRefusal.unprocessable(
      'DUPLICATE_RESOURCE_IDENTIFIER',
      `Duplicate resource identifier: ${id}`,
    );
  }
  const now = timeOf(world);
  const product: Product = {
    id,
    name: body.needText('name', 127),
    ...optional('description', body.text('description')),
    type: body.choice('type', 'PHYSICAL', 'DIGITAL', 'SERVICE'),
    create_time: now,
    update_time: now,
    links: [{ href: `${world.url}/v1/catalogs/products/${id}`, rel: 'self', method: 'GET' }],
  };
  world.state.paypal.products[id] = product;
  return product;
}

/** POST /v1/billing/plans */
export function createPlan(world: World, body: Body): Plan {
  const productId = body.needText('product_id', 50);
  if (!Object.hasOwn(world.state.paypal.products, productId)) throw PayPalRefusal.notFound();
  const cycles = body.parts('billing_cycles').map((cycle) => readCycle(world, cycle));
  if (!cycles.some(({ tenure_type: type }) => type === 'REGULAR'))
    throw PayPalRefusal.missing('/billing_cycles');
  if (!body.has('payment_preferences')) throw PayPalRefusal.missing('/payment_preferences');
  const preferences = body.part('payment_preferences');
  const id = `P-${newPayPalId(world, 24)}`;
  const now = timeOf(world);
  const plan: Plan = {
    id,
    product_id: productId,
    name: body.needText('name', 127),
    ...optional('description', body.text('description', 127)),
    status: body.choice('status', 'ACTIVE', 'INACTIVE', 'CREATED'),
    billing_cycles: cycles,
    payment_preferences: {
      auto_bill_outstanding: preferences.flag('auto_bill_outstanding') ?? true,
      setup_fee_failure_action: preferences.choice('setup_fee_failure_action', 'CANCEL', 'CONTINUE'),
      payment_failure_threshold: preferences.integer('payment_failure_threshold') ?? 0,
    },
    quantity_supported: body.flag('quantity_supported') ?? false,
    create_time: now,
    update_time: now,
    links: [{ href: `${world.url}/v1/billing/plans/${id}`, rel: 'self', method: 'GET' }],
  };
  world.state.paypal.plans[id] = plan;
  return plan;
}

function readCycle(world: World, cycle: Body): Plan['billing_cycles'][number] {
  const frequency = cycle.part('frequency');
  const { cents, currency } = readMoney(cycle.part('pricing_scheme').part('fixed_price'));
  const now = timeOf(world);
  frequency.needText('interval_unit');
  return {
    frequency: {
      interval_unit: frequency.choice('interval_unit', 'MONTH', 'YEAR', 'WEEK', 'DAY'),
      interval_count: frequency.integer('interval_count') ?? 1,
    },
    tenure_type: cycle.choice('tenure_type', 'REGULAR', 'TRIAL'),
    sequence: cycle.integer('sequence') ?? 1,
    total_cycles: cycle.integer('total_cycles') ?? 0,
    pricing_scheme: { version: 1, fixed_price: moneyOf(cents, currency), create_time: now, update_time: now },
  };
}
