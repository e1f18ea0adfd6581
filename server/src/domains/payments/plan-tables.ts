import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  foreignKey,
  index,
  integer,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { at, paymentsSchema } from '../../db/columns.ts';
import { purchases } from '../credits/sales-tables.ts';
import { credits, oneOf } from '../credits/tables.ts';
import { users } from '../users/tables.ts';

export const billingIntervals = ['month', 'year'] as const;
export const rollovers = ['none', 'all', 'capped'] as const;
export const taxBehaviors = ['inclusive', 'exclusive', 'unspecified'] as const;
export const subscriptionStatuses = [
  'opening',
  'abandoned',
  'incomplete',
  'active',
  'past_due',
  'ended',
] as const;
const invoiceStatuses = ['open', 'failed', 'void', 'paid'] as const;
const providers = ['stripe', 'paypal'] as const;

/** What people can subscribe to. `version` is the one that new subscriptions begin with. */
export const plans = paymentsSchema.table(
  'plans',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    description: text('description'),
    position: integer('position').notNull(),
    version: integer('version').notNull(),
    isActive: boolean('is_active').notNull(),
    createdAt: at('created_at').notNull(),
    updatedAt: at('updated_at').notNull(),
  },
  (table) => [
    check('plans_id_check', sql`${table.id} ~ '^[a-z0-9][a-z0-9-]{0,49}$' and ${table.id} <> 'free'`),
  ],
);

/**
 * The terms of a plan, never changed: another price or amount of credits is another version. Credits are
 * units, as in wallets. `rollover_cap` is how many unused credits may be carried into the next period;
 * `grace_days` is how long the plan counts beyond what was paid for.
 */
export const planVersions = paymentsSchema.table(
  'plan_versions',
  {
    planId: text('plan_id')
      .notNull()
      .references(() => plans.id, { onDelete: 'cascade' }),
    version: integer('version').notNull(),
    priceCents: integer('price_cents').notNull(),
    currency: text('currency').notNull(),
    taxBehavior: text('tax_behavior', { enum: taxBehaviors }).notNull(),
    billingInterval: text('billing_interval', { enum: billingIntervals }).notNull(),
    credits: credits('credits').notNull(),
    rollover: text('rollover', { enum: rollovers }).notNull(),
    rolloverCap: credits('rollover_cap'),
    graceDays: integer('grace_days').notNull(),
    createdBy: uuid('created_by').references(() => users.id, { onDelete: 'set null' }),
    createdAt: at('created_at').notNull(),
  },
  (table) => [
    primaryKey({ name: 'plan_versions_pkey', columns: [table.planId, table.version] }),
    index('plan_versions_created_by_idx').on(table.createdBy),
    check(
      'plan_versions_amounts_check',
      sql`${table.credits} > 0 and ${table.priceCents} > 0 and ${table.graceDays} >= 0`,
    ),
    check('plan_versions_currency_check', sql`${table.currency} ~ '^[A-Z]{3}$'`),
    check('plan_versions_tax_check', oneOf(table.taxBehavior, taxBehaviors)),
    check('plan_versions_interval_check', oneOf(table.billingInterval, billingIntervals)),
    check('plan_versions_rollover_check', oneOf(table.rollover, rollovers)),
    check(
      'plan_versions_cap_check',
      sql`(${table.rollover} = 'capped') = (${table.rolloverCap} is not null) and ${table.rolloverCap} > 0`,
    ),
  ],
);

/** By which price a provider knows the version of a plan: the current one, or one of before. */
export const planPrices = paymentsSchema.table(
  'plan_prices',
  {
    provider: text('provider', { enum: providers }).notNull(),
    providerPriceId: text('provider_price_id').notNull(),
    planId: text('plan_id').notNull(),
    version: integer('version').notNull(),
    isLive: boolean('is_live').notNull(),
    isCurrent: boolean('is_current').notNull(),
  },
  (table) => [
    primaryKey({ name: 'plan_prices_pkey', columns: [table.provider, table.providerPriceId] }),
    index('plan_prices_plan_idx').on(table.planId, table.version, table.provider),
    foreignKey({
      name: 'plan_prices_plan_fk',
      columns: [table.planId, table.version],
      foreignColumns: [planVersions.planId, planVersions.version],
    }).onDelete('cascade'),
    check('plan_prices_provider_check', oneOf(table.provider, providers)),
  ],
);

/**
 * A person's subscription, from its checkout (`opening`) to its end. `plan_id` and `version` are what was
 * paid for last, before that what was ordered; `billed_*` is what the next bill will be for. `told_at` is the
 * provider's time of what is known, `paid_ends_at` the end of the last period that was paid, `tier_ends_at`
 * how long that counts, `checked_at` when the provider was last asked, `abandoned_at` when its checkout was
 * left, `ended_for` for what we last had it ended; until `change_ends_at` somebody is changing its plan.
 */
export const subscriptions = paymentsSchema.table(
  'subscriptions',
  {
    id: uuid('id').primaryKey(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    planId: text('plan_id').notNull(),
    version: integer('version').notNull(),
    billedPlanId: text('billed_plan_id').notNull(),
    billedVersion: integer('billed_version').notNull(),
    provider: text('provider', { enum: providers }).notNull(),
    isLive: boolean('is_live').notNull(),
    providerSubscriptionId: text('provider_subscription_id'),
    providerPriceId: text('provider_price_id'),
    customerId: text('customer_id'),
    status: text('status', { enum: subscriptionStatuses }).notNull(),
    periodStart: at('period_starts_at'),
    periodEnd: at('period_ends_at'),
    cancelsAtPeriodEnd: boolean('cancels_at_period_end').notNull(),
    asOf: at('told_at'),
    paidUntil: at('paid_ends_at'),
    tierUntil: at('tier_ends_at'),
    endedAt: at('ended_at'),
    checkoutId: text('checkout_id'),
    checkoutUrl: text('checkout_url'),
    checkoutExpiresAt: at('checkout_expires_at'),
    checkedAt: at('checked_at'),
    createdAt: at('created_at').notNull(),
    updatedAt: at('updated_at').notNull(),
    abandonedAt: at('abandoned_at'),
    endedFor: uuid('ended_for'),
    changeEndsAt: at('change_ends_at'),
  },
  (table) => [
    index('subscriptions_user_idx').on(table.userId, table.createdAt),
    uniqueIndex('subscriptions_provider_key').on(table.provider, table.providerSubscriptionId),
    index('subscriptions_due_idx')
      .on(table.periodEnd)
      .where(sql`${table.status} in ('incomplete', 'active', 'past_due')`),
    index('subscriptions_tier_idx')
      .on(table.tierUntil)
      .where(sql`${table.tierUntil} is not null`),
    index('subscriptions_plan_idx').on(table.planId, table.version),
    index('subscriptions_billed_plan_idx').on(table.billedPlanId, table.billedVersion),
    foreignKey({
      name: 'subscriptions_plan_fk',
      columns: [table.planId, table.version],
      foreignColumns: [planVersions.planId, planVersions.version],
    }).onDelete('restrict'),
    foreignKey({
      name: 'subscriptions_billed_plan_fk',
      columns: [table.billedPlanId, table.billedVersion],
      foreignColumns: [planVersions.planId, planVersions.version],
    }).onDelete('restrict'),
    check('subscriptions_provider_check', oneOf(table.provider, providers)),
    check('subscriptions_status_check', oneOf(table.status, subscriptionStatuses)),
  ],
);

/** A change to a dearer plan that was asked of the provider: what a bill for a change is recognised by. */
export const planChanges = paymentsSchema.table(
  'plan_changes',
  {
    id: uuid('id').primaryKey(),
    subscriptionId: uuid('subscription_id')
      .notNull()
      .references(() => subscriptions.id, { onDelete: 'cascade' }),
    fromPlanId: text('from_plan_id').notNull(),
    fromVersion: integer('from_version').notNull(),
    toPlanId: text('to_plan_id').notNull(),
    toVersion: integer('to_version').notNull(),
    createdAt: at('created_at').notNull(),
  },
  (table) => [
    index('plan_changes_subscription_idx').on(table.subscriptionId, table.createdAt),
    index('plan_changes_from_idx').on(table.fromPlanId, table.fromVersion),
    index('plan_changes_to_idx').on(table.toPlanId, table.toVersion),
    foreignKey({
      name: 'plan_changes_from_fk',
      columns: [table.fromPlanId, table.fromVersion],
      foreignColumns: [planVersions.planId, planVersions.version],
    }).onDelete('restrict'),
    foreignKey({
      name: 'plan_changes_to_fk',
      columns: [table.toPlanId, table.toVersion],
      foreignColumns: [planVersions.planId, planVersions.version],
    }).onDelete('restrict'),
  ],
);

/**
 * A bill of a subscription as the provider tells of it, whether or not we know the subscription yet.
 * `refusal` says why a paid one brought nothing; `settled_at` when it brought what it should.
 */
export const invoices = paymentsSchema.table(
  'invoices',
  {
    provider: text('provider', { enum: providers }).notNull(),
    invoiceId: text('invoice_id').notNull(),
    providerSubscriptionId: text('provider_subscription_id').notNull(),
    paymentId: text('payment_id'),
    status: text('status', { enum: invoiceStatuses }).notNull(),
    purpose: text('purpose', { enum: ['period', 'change'] }).notNull(),
    providerPriceId: text('provider_price_id').notNull(),
    amountCents: bigint('amount_cents', { mode: 'number' }).notNull(),
    totalCents: bigint('total_cents', { mode: 'number' }),
    currency: text('currency').notNull(),
    periodStart: at('period_starts_at').notNull(),
    periodEnd: at('period_ends_at').notNull(),
    invoiceUrl: text('invoice_url'),
    isLive: boolean('is_live').notNull(),
    refusal: text('refusal'),
    settledAt: at('settled_at'),
    receivedAt: at('received_at').notNull(),
  },
  (table) => [
    primaryKey({ name: 'invoices_pkey', columns: [table.provider, table.invoiceId] }),
    index('invoices_subscription_idx').on(table.provider, table.providerSubscriptionId),
    index('invoices_payment_idx')
      .on(table.provider, table.paymentId)
      .where(sql`${table.paymentId} is not null`),
    index('invoices_unsettled_idx')
      .on(table.receivedAt)
      .where(sql`${table.status} = 'paid' and ${table.settledAt} is null`),
    check('invoices_provider_check', oneOf(table.provider, providers)),
    check('invoices_status_check', oneOf(table.status, invoiceStatuses)),
    check('invoices_purpose_check', oneOf(table.purpose, ['period', 'change'])),
  ],
);

/**
 * What was paid for: a whole period, or a dearer plan for the rest of one, by a change that was asked for
 * (`plan_change_id`) and is billed once. `purchase_id` is the sale of its credits, if it has any. They may be
 * carried into the next period so many times (`carried_times`; null: any number), `carried_more` once more.
 */
export const periods = paymentsSchema.table(
  'periods',
  {
    id: uuid('id').primaryKey(),
    subscriptionId: uuid('subscription_id')
      .notNull()
      .references(() => subscriptions.id, { onDelete: 'cascade' }),
    provider: text('provider', { enum: providers }).notNull(),
    invoiceId: text('invoice_id').notNull(),
    purchaseId: uuid('purchase_id').references(() => purchases.id, { onDelete: 'set null' }),
    purpose: text('purpose', { enum: ['period', 'change'] }).notNull(),
    planId: text('plan_id').notNull(),
    version: integer('version').notNull(),
    startsAt: at('starts_at').notNull(),
    endsAt: at('ends_at').notNull(),
    credits: credits('credits').notNull(),
    carriedTimes: integer('carried_times'),
    carriedMore: credits('carried_more').notNull(),
    createdAt: at('created_at').notNull(),
    planChangeId: uuid('plan_change_id').references(() => planChanges.id, { onDelete: 'set null' }),
  },
  (table) => [
    uniqueIndex('periods_invoice_key').on(table.provider, table.invoiceId),
    uniqueIndex('periods_purchase_key').on(table.purchaseId),
    uniqueIndex('periods_plan_change_key').on(table.planChangeId),
    uniqueIndex('periods_start_key')
      .on(table.subscriptionId, table.startsAt)
      .where(sql`${table.purpose} = 'period'`),
    index('periods_subscription_idx').on(table.subscriptionId, table.endsAt),
    foreignKey({
      name: 'periods_plan_fk',
      columns: [table.planId, table.version],
      foreignColumns: [planVersions.planId, planVersions.version],
    }).onDelete('restrict'),
    check('periods_provider_check', oneOf(table.provider, providers)),
    check('periods_purpose_check', oneOf(table.purpose, ['period', 'change'])),
    index('periods_plan_idx').on(table.planId, table.version),
    check(
      'periods_bounds_check',
      sql`${table.startsAt} < ${table.endsAt} and ${table.credits} >= 0 and ${table.carriedTimes} >= 0 and ${table.carriedMore} >= 0`,
    ),
  ],
);
