import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  date,
  index,
  integer,
  jsonb,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { at, creditsSchema } from '../../db/columns.ts';
import { users } from '../users/tables.ts';
import { balances, bytes, credits, oneOf } from './tables.ts';

/** Whether a price includes tax. */
export const taxBehaviors = ['inclusive', 'exclusive', 'unspecified'] as const;

/** What is for sale. A package without a price of its own costs what CREDITS_PER_EUR says. */
export const packages = creditsSchema.table(
  'packages',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    credits: credits('credits').notNull(),
    priceCents: integer('price_cents'),
    currency: text('currency').notNull(),
    position: integer('position').notNull(),
    isActive: boolean('is_active').notNull(),
    description: text('description'),
    taxBehavior: text('tax_behavior', { enum: taxBehaviors }).notNull().default('inclusive'),
    version: integer('version').notNull().default(1),
    /** Most purchases of a person, within `perUserDays` days where that is given. */
    perUserMax: integer('per_user_max'),
    perUserDays: integer('per_user_days'),
    updatedAt: at('updated_at'),
  },
  (table) => [
    check('packages_tax_check', oneOf(table.taxBehavior, taxBehaviors)),
    check(
      'packages_limit_check',
      sql`${table.perUserMax} > 0 and ${table.perUserDays} > 0 and (${table.perUserDays} is null or ${table.perUserMax} is not null)`,
    ),
    check('packages_credits_check', sql`${table.credits} > 0`),
    check('packages_price_check', sql`${table.priceCents} > 0`),
    check('packages_currency_check', sql`${table.currency} ~ '^[A-Z]{3}$'`),
  ],
);

/** What a package costs in further currencies. */
export const packagePrices = creditsSchema.table(
  'package_prices',
  {
    packageId: text('package_id')
      .notNull()
      .references(() => packages.id, { onDelete: 'cascade' }),
    currency: text('currency').notNull(),
    priceCents: integer('price_cents').notNull(),
  },
  (table) => [
    primaryKey({ name: 'package_prices_pkey', columns: [table.packageId, table.currency] }),
    check('package_prices_price_check', sql`${table.priceCents} > 0`),
    check('package_prices_currency_check', sql`${table.currency} ~ '^[A-Z]{3}$'`),
  ],
);

/** A package as it was sold from a time on. */
export const packageVersions = creditsSchema.table(
  'package_versions',
  {
    packageId: text('package_id')
      .notNull()
      .references(() => packages.id, { onDelete: 'cascade' }),
    version: integer('version').notNull(),
    terms: jsonb('terms').notNull(),
    changedBy: uuid('changed_by').references(() => users.id, { onDelete: 'set null' }),
    createdAt: at('created_at').notNull(),
  },
  (table) => [
    primaryKey({ name: 'package_versions_pkey', columns: [table.packageId, table.version] }),
    index('package_versions_changed_by_idx').on(table.changedBy),
  ],
);

/**
 * A sale of credits: a pack, an automatic top-up, or the bill of a period of a subscription. `transaction_id`
 * is the first entry of its credits into the wallet, `posted_credits` what the ledger holds of it after
 * refunds and disputes. Settled by payments.settle alone.
 */
export const purchases = creditsSchema.table(
  'purchases',
  {
    id: uuid('id').primaryKey(),
    walletId: uuid('wallet_id')
      .notNull()
      .references(() => balances.walletId, { onDelete: 'restrict' }),
    userId: uuid('user_id').references(() => users.id, { onDelete: 'set null' }),
    packageId: text('package_id').references(() => packages.id, { onDelete: 'set null' }),
    credits: credits('credits').notNull(),
    priceCents: integer('price_cents').notNull(),
    currency: text('currency').notNull(),
    provider: text('provider', { enum: ['stripe', 'paypal'] }).notNull(),
    providerPaymentId: text('provider_payment_id'),
    status: text('status', { enum: ['pending', 'completed', 'failed', 'refunded', 'disputed'] }).notNull(),
    transactionId: uuid('transaction_id'),
    createdAt: at('created_at').notNull(),
    completedAt: at('completed_at'),
    kind: text('kind', { enum: ['pack', 'top_up', 'period'] })
      .notNull()
      .default('pack'),
    title: text('title').notNull().default('Credits'),
    packageVersion: integer('package_version'),
    isLive: boolean('is_live').notNull().default(false),
    taxBehavior: text('tax_behavior', { enum: taxBehaviors }).notNull().default('unspecified'),
    /** When the credits that it brings expire, if ever. */
    lotExpiresAt: at('lot_expires_at'),
    idempotencyKey: text('idempotency_key'),
    requestHash: bytes('request_hash'),
    checkoutId: text('checkout_id'),
    checkoutUrl: text('checkout_url'),
    /** When the checkout ends by itself. */
    expiresAt: at('expires_at'),
    postedCredits: credits('posted_credits')
      .notNull()
      .default(sql`0`),
    refundedCents: credits('refunded_cents')
      .notNull()
      .default(sql`0`),
    disputedCents: credits('disputed_cents')
      .notNull()
      .default(sql`0`),
    /** What an administrator should look at. */
    problem: text('problem'),
    /** When the provider is asked next how the payment stands. */
    nextCheckAt: at('next_check_at'),
    checkedAt: at('checked_at'),
    updatedAt: at('updated_at'),
    savesCard: boolean('saves_card').notNull().default(false),
  },
  (table) => [
    uniqueIndex('purchases_idempotency_key').on(table.walletId, table.idempotencyKey),
    uniqueIndex('purchases_top_up_key')
      .on(table.walletId)
      .where(sql`${table.kind} = 'top_up' and ${table.status} = 'pending'`),
    index('purchases_check_idx')
      .on(table.nextCheckAt)
      .where(sql`${table.nextCheckAt} is not null`),
    check('purchases_kind_check', oneOf(table.kind, ['pack', 'top_up', 'period'])),
    check(
      'purchases_posted_check',
      sql`${table.postedCredits} >= 0 and ${table.postedCredits} <= ${table.credits}`,
    ),
    index('purchases_wallet_idx').on(table.walletId, table.createdAt),
    index('purchases_user_idx').on(table.userId),
    index('purchases_package_idx').on(table.packageId),
    uniqueIndex('purchases_provider_payment_key').on(table.provider, table.providerPaymentId),
    check('purchases_credits_check', sql`${table.credits} > 0 and ${table.priceCents} > 0`),
    check('purchases_currency_check', sql`${table.currency} ~ '^[A-Z]{3}$'`),
    check('purchases_provider_check', oneOf(table.provider, ['stripe', 'paypal'])),
    check(
      'purchases_status_check',
      oneOf(table.status, ['pending', 'completed', 'failed', 'refunded', 'disputed']),
    ),
  ],
);

/**
 * Sums of usage per wallet, day (UTC), app and model, kept up by every spend. `model` is '' when it names
 * none.
 */
export const usageStats = creditsSchema.table(
  'usage_stats',
  {
    walletId: uuid('wallet_id').notNull(),
    day: date('day', { mode: 'string' }).notNull(),
    appId: text('app_id').notNull(),
    model: text('model').notNull(),
    count: credits('count').notNull(),
    amount: credits('amount').notNull(),
  },
  (table) => [
    primaryKey({
      name: 'usage_stats_pkey',
      columns: [table.walletId, table.day, table.appId, table.model],
    }),
  ],
);
