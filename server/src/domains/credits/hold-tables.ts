import { sql } from 'drizzle-orm';
import { check, index, jsonb, integer, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { at, creditsSchema } from '../../db/columns.ts';
import { users } from '../users/tables.ts';
import { balances, credits, lots, oneOf } from './tables.ts';

/**
 * Credits set aside for work whose cost is not known yet. Open until one of capture, void and expiry comes.
 */
export const holds = creditsSchema.table(
  'holds',
  {
    id: uuid('id').primaryKey(),
    walletId: uuid('wallet_id')
      .notNull()
      .references(() => balances.walletId, { onDelete: 'restrict' }),
    appId: text('app_id').notNull(),
    mandateId: uuid('mandate_id').references(() => mandates.id, { onDelete: 'restrict' }),
    amount: credits('amount').notNull(),
    captured: credits('captured').notNull(),
    /** What is still set aside: the sum of its hold_lots, 0 once it has ended. */
    remaining: credits('remaining').notNull(),
    status: text('status', { enum: ['open', 'captured', 'voided', 'expired'] }).notNull(),
    description: text('description').notNull(),
    metadata: jsonb('metadata'),
    expiresAt: at('expires_at').notNull(),
    createdAt: at('created_at').notNull(),
    closedAt: at('closed_at'),
  },
  (table) => [
    index('holds_open_idx')
      .on(table.walletId, table.expiresAt)
      .where(sql`${table.status} = 'open'`),
    index('holds_due_idx')
      .on(table.expiresAt)
      .where(sql`${table.status} = 'open'`),
    index('holds_wallet_idx').on(table.walletId, table.createdAt),
    check('holds_status_check', oneOf(table.status, ['open', 'captured', 'voided', 'expired'])),
    check('holds_amount_check', sql`${table.amount} > 0 and ${table.captured} >= 0`),
    check('holds_remaining_check', sql`${table.remaining} >= 0 and ${table.remaining} <= ${table.amount}`),
    check('holds_closed_check', sql`(${table.status} = 'open') = (${table.closedAt} is null)`),
  ],
);

/**
 * What a hold has set aside of which lot and not yet captured or given back, in the order of consumption.
 * `charged_at` is the instant at which its mandate was charged with it.
 */
export const holdLots = creditsSchema.table(
  'hold_lots',
  {
    holdId: uuid('hold_id')
      .notNull()
      .references(() => holds.id, { onDelete: 'cascade' }),
    ordinal: integer('ordinal').notNull(),
    lotId: uuid('lot_id')
      .notNull()
      .references(() => lots.id, { onDelete: 'restrict' }),
    walletId: uuid('wallet_id').notNull(),
    amount: credits('amount').notNull(),
    chargedAt: at('charged_at').notNull(),
  },
  (table) => [
    primaryKey({ name: 'hold_lots_pkey', columns: [table.holdId, table.ordinal] }),
    index('hold_lots_lot_idx').on(table.lotId),
    check('hold_lots_amount_check', sql`${table.amount} >= 0`),
  ],
);

/**
 * A user's consent that an app (or, for a team wallet, a member) may spend from a wallet, or the budget of an
 * API key. `spent` is what has
 * been charged since `period_started_at`, holds included; it counts for that period only.
 */
export const mandates = creditsSchema.table(
  'mandates',
  {
    id: uuid('id').primaryKey(),
    /** Null only for the budget of an application's key, which may be used on many wallets. */
    walletId: uuid('wallet_id').references(() => balances.walletId, { onDelete: 'restrict' }),
    appId: text('app_id'),
    memberId: uuid('member_id').references(() => users.id, { onDelete: 'restrict' }),
    /** The API key whose budget it is. No foreign key: a key may go, what it was charged stays. */
    keyId: uuid('key_id'),
    allowance: credits('allowance').notNull(),
    period: text('period', { enum: ['day', 'week', 'month', 'total'] }).notNull(),
    kinds: text('kinds').array().notNull(),
    spendMax: credits('spend_max'),
    overrun: text('overrun', { enum: ['refuse', 'spill', 'debt'] }).notNull(),
    overrunMax: credits('overrun_max').notNull(),
    spent: credits('spent').notNull(),
    periodStartedAt: at('period_started_at').notNull(),
    status: text('status', { enum: ['active', 'paused', 'revoked'] }).notNull(),
    expiresAt: at('expires_at'),
    createdAt: at('created_at').notNull(),
    updatedAt: at('updated_at').notNull(),
  },
  (table) => [
    index('mandates_member_idx').on(table.memberId),
    index('mandates_wallet_idx').on(table.walletId, table.appId),
    index('mandates_app_idx')
      .on(table.appId)
      .where(sql`${table.status} <> 'revoked' and ${table.memberId} is null`),
    uniqueIndex('mandates_app_key')
      .on(table.walletId, table.appId)
      .where(sql`${table.status} <> 'revoked' and ${table.memberId} is null`),
    uniqueIndex('mandates_member_key')
      .on(table.walletId, table.memberId)
      .where(sql`${table.status} <> 'revoked' and ${table.memberId} is not null`),
    uniqueIndex('mandates_key_key')
      .on(table.keyId)
      .where(sql`${table.keyId} is not null`),
    check('mandates_wallet_check', sql`${table.walletId} is not null or ${table.keyId} is not null`),
    check('mandates_period_check', oneOf(table.period, ['day', 'week', 'month', 'total'])),
    check('mandates_status_check', oneOf(table.status, ['active', 'paused', 'revoked'])),
    check('mandates_overrun_check', oneOf(table.overrun, ['refuse', 'spill', 'debt'])),
    check(
      'mandates_spender_check',
      sql`${table.appId} is not null or ${table.memberId} is not null or ${table.keyId} is not null`,
    ),
    check('mandates_allowance_check', sql`${table.allowance} >= 0 and ${table.spent} >= 0`),
    check(
      'mandates_kinds_check',
      sql`${table.kinds} <@ array['free', 'paid'] and cardinality(${table.kinds}) > 0`,
    ),
    check('mandates_bounds_check', sql`${table.spendMax} > 0 and ${table.overrunMax} >= 0`),
  ],
);

/**
 * What a transaction has charged to a mandate: what it set aside (`held`) and what it spent, both negative
 * when given back. `charged_at` is the instant at which it was charged first, so that what is given back
 * comes back to the period that it was taken from.
 */
export const mandateUsage = creditsSchema.table(
  'mandate_usage',
  {
    transactionId: uuid('transaction_id').notNull(),
    chargedAt: at('charged_at').notNull(),
    mandateId: uuid('mandate_id')
      .notNull()
      .references(() => mandates.id, { onDelete: 'restrict' }),
    walletId: uuid('wallet_id').notNull(),
    held: credits('held').notNull(),
    spent: credits('spent').notNull(),
  },
  (table) => [
    primaryKey({
      name: 'mandate_usage_pkey',
      columns: [table.transactionId, table.chargedAt, table.mandateId],
    }),
    index('mandate_usage_mandate_idx').on(table.mandateId, table.chargedAt),
  ],
);
