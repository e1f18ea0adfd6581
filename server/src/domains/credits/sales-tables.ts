import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  date,
  index,
  integer,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { at, creditsSchema } from '../../db/columns.ts';
import { users } from '../users/tables.ts';
import { balances, credits, oneOf } from './tables.ts';

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
  },
  (table) => [
    check('packages_credits_check', sql`${table.credits} > 0`),
    check('packages_price_check', sql`${table.priceCents} > 0`),
    check('packages_currency_check', sql`${table.currency} ~ '^[A-Z]{3}$'`),
  ],
);

/**
 * A sale of credits, from the checkout to its end. `transaction_id` is the entry of the credits into the
 * wallet.
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
  },
  (table) => [
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
