import { sql } from 'drizzle-orm';
import { check, index, integer, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { at, creditsSchema } from '../../db/columns.ts';
import { users } from '../users/tables.ts';
import { balances, bytes, credits, kinds, oneOf } from './tables.ts';

/**
 * A gift or promo code. A code that we made is a secret: only its digest is kept. `chosen_code` holds the
 * text of one that an administrator chose; it is meant to be passed around.
 */
export const codes = creditsSchema.table(
  'codes',
  {
    id: uuid('id').primaryKey(),
    codeHash: bytes('code_hash').notNull(),
    chosenCode: text('chosen_code'),
    description: text('description').notNull(),
    amount: credits('amount').notNull(),
    kind: text('kind', { enum: kinds }).notNull(),
    priority: integer('priority').notNull(),
    /** How long the credits live from their redemption on; for ever when null. */
    lotLifetimeDays: integer('lot_lifetime_days'),
    redemptionsMax: integer('redemptions_max').notNull(),
    redemptionsPerUserMax: integer('redemptions_per_user_max').notNull(),
    redeemed: integer('redeemed').notNull(),
    expiresAt: at('expires_at'),
    revokedAt: at('revoked_at'),
    createdBy: uuid('created_by').references(() => users.id, { onDelete: 'set null' }),
    createdAt: at('created_at').notNull(),
  },
  (table) => [
    uniqueIndex('codes_code_hash_key').on(table.codeHash),
    index('codes_created_at_idx').on(table.createdAt),
    index('codes_created_by_idx').on(table.createdBy),
    check('codes_kind_check', oneOf(table.kind, kinds)),
    check('codes_amount_check', sql`${table.amount} > 0`),
    check('codes_lifetime_check', sql`${table.lotLifetimeDays} > 0`),
    check('codes_redeemed_check', sql`${table.redeemed} between 0 and ${table.redemptionsMax}`),
    check('codes_limits_check', sql`${table.redemptionsMax} > 0 and ${table.redemptionsPerUserMax} > 0`),
  ],
);

/**
 * A code redeemed: the `ordinal`-th time into this wallet, by the transaction that brought the credits in.
 */
export const redemptions = creditsSchema.table(
  'redemptions',
  {
    codeId: uuid('code_id')
      .notNull()
      .references(() => codes.id, { onDelete: 'restrict' }),
    walletId: uuid('wallet_id')
      .notNull()
      .references(() => balances.walletId, { onDelete: 'restrict' }),
    ordinal: integer('ordinal').notNull(),
    transactionId: uuid('transaction_id').notNull(),
    createdAt: at('created_at').notNull(),
  },
  (table) => [
    primaryKey({ name: 'redemptions_pkey', columns: [table.codeId, table.walletId, table.ordinal] }),
    check('redemptions_ordinal_check', sql`${table.ordinal} > 0`),
  ],
);
