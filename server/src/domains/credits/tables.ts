import { sql, type SQL } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  customType,
  index,
  integer,
  jsonb,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
  uuid,
  type AnyPgColumn,
} from 'drizzle-orm/pg-core';
import { at, creditsSchema } from '../../db/columns.ts';
import { users } from '../users/tables.ts';

export const bytes = customType<{ data: Buffer }>({ dataType: () => 'bytea' });
export const credits = (name: string) => bigint(name, { mode: 'number' });

export const kinds = ['free', 'paid'] as const;
const sources = ['signup', 'daily', 'purchase', 'subscription', 'gift', 'adjustment', 'refund'] as const;
export const transactionTypes = [
  'bonus',
  'daily',
  'purchase',
  'usage',
  'hold',
  'capture',
  'void',
  'expire',
  'refund',
  'adjustment',
  'clawback',
  'transfer',
  'repayment',
] as const;
export type TransactionType = (typeof transactionTypes)[number];

export const oneOf = (column: AnyPgColumn, values: readonly string[]): SQL =>
  sql`${column} in (${sql.raw(values.map((value) => `'${value}'`).join(', '))})`;
/** 2^53 − 1: every amount stays an exact integer in JavaScript and in JSON. */
const exactMax = sql.raw('9007199254740991');

/**
 * A wallet and its balance, one row. A personal wallet has its user's id. `free` and `paid` are the sums of
 * the lots' `remaining`, of which `held` is set aside: available = free + paid − held. `sequence`,
 * `chain_head` and `last_transaction_at` are those of the newest transaction; `next_expiry_at` is no later
 * than the next expiry of a lot or an open hold.
 */
export const balances = creditsSchema.table(
  'balances',
  {
    walletId: uuid('wallet_id').primaryKey(),
    ownerId: uuid('owner_id').references(() => users.id, { onDelete: 'set null' }),
    kind: text('kind', { enum: ['personal', 'team'] }).notNull(),
    status: text('status', { enum: ['active', 'frozen', 'closed'] }).notNull(),
    free: credits('free').notNull(),
    paid: credits('paid').notNull(),
    held: credits('held').notNull(),
    debt: credits('debt').notNull(),
    totalEarned: credits('total_earned').notNull(),
    totalSpent: credits('total_spent').notNull(),
    nextDailyAt: at('next_daily_at').notNull(),
    nextExpiryAt: at('next_expiry_at'),
    sequence: bigint('sequence', { mode: 'number' }).notNull(),
    chainHead: bytes('chain_head').notNull(),
    lastTransactionAt: at('last_transaction_at').notNull(),
    createdAt: at('created_at').notNull(),
  },
  (table) => [
    index('balances_owner_idx').on(table.ownerId),
    check('balances_kind_check', oneOf(table.kind, ['personal', 'team'])),
    check('balances_status_check', oneOf(table.status, ['active', 'frozen', 'closed'])),
    check('balances_free_check', sql`${table.free} >= 0`),
    check('balances_paid_check', sql`${table.paid} >= 0`),
    check('balances_held_check', sql`${table.held} >= 0 and ${table.held} <= ${table.free} + ${table.paid}`),
    check('balances_debt_check', sql`${table.debt} >= 0`),
    check('balances_exact_check', sql`${table.free} + ${table.paid} <= ${exactMax}`),
    check(
      'balances_totals_check',
      sql`greatest(${table.totalEarned}, ${table.totalSpent}, ${table.debt}) <= ${exactMax}`,
    ),
    check(
      'balances_person_check',
      sql`${table.ownerId} is null or (${table.kind} = 'personal' and ${table.ownerId} = ${table.walletId})`,
    ),
  ],
);

/**
 * Credits that came in together. `remaining` includes what holds have set aside (`held`). `closed_at` is set
 * exactly while nothing remains, so that the index of open lots is left alone by a spend that does not empty
 * the lot.
 */
export const lots = creditsSchema.table(
  'lots',
  {
    id: uuid('id').primaryKey(),
    walletId: uuid('wallet_id')
      .notNull()
      .references(() => balances.walletId, { onDelete: 'restrict' }),
    source: text('source', { enum: sources }).notNull(),
    kind: text('kind', { enum: kinds }).notNull(),
    amount: credits('amount').notNull(),
    remaining: credits('remaining').notNull(),
    held: credits('held').notNull(),
    priority: integer('priority').notNull(),
    expiresAt: at('expires_at'),
    /**
     * Start of the 24 hours that a daily lot is for; one lot per wallet and window. Not for one that was
     * transferred.
     */
    dailyWindowAt: at('daily_window_at'),
    transactionId: uuid('transaction_id').notNull(),
    createdAt: at('created_at').notNull(),
    closedAt: at('closed_at'),
  },
  (table) => [
    /** For whoever proves a wallet from its journal, closed lots included. */
    index('lots_wallet_idx').on(table.walletId, table.id),
    index('lots_open_idx')
      .on(table.walletId, table.expiresAt)
      .where(sql`${table.closedAt} is null`),
    uniqueIndex('lots_daily_window_key')
      .on(table.walletId, table.dailyWindowAt)
      .where(sql`${table.dailyWindowAt} is not null`),
    check('lots_source_check', oneOf(table.source, sources)),
    check('lots_kind_check', oneOf(table.kind, kinds)),
    check('lots_amount_check', sql`${table.amount} > 0`),
    check('lots_remaining_check', sql`${table.remaining} >= 0 and ${table.remaining} <= ${table.amount}`),
    check('lots_held_check', sql`${table.held} >= 0 and ${table.held} <= ${table.remaining}`),
    check('lots_closed_check', sql`(${table.closedAt} is null) = (${table.remaining} > 0)`),
    check('lots_daily_check', sql`${table.dailyWindowAt} is null or ${table.source} = 'daily'`),
  ],
);

/**
 * The journal: one row per thing that happened, append-only. `sequence` has no gaps within a wallet and
 * `created_at` never goes back with it. No foreign keys: rows are only ever written by the ledger's
 * functions, which hold the wallet's lock, and `obol ledger verify` proves the references.
 */
export const transactions = creditsSchema.table(
  'transactions',
  {
    id: uuid('id').primaryKey(),
    walletId: uuid('wallet_id').notNull(),
    sequence: bigint('sequence', { mode: 'number' }).notNull(),
    type: text('type', { enum: transactionTypes }).notNull(),
    status: text('status', { enum: ['completed'] }).notNull(),
    amount: credits('amount').notNull(),
    balanceBefore: credits('balance_before').notNull(),
    balanceAfter: credits('balance_after').notNull(),
    appId: text('app_id'),
    description: text('description').notNull(),
    metadata: jsonb('metadata'),
    idempotencyKey: text('idempotency_key'),
    holdId: uuid('hold_id'),
    mandateId: uuid('mandate_id'),
    reversesId: uuid('reverses_id'),
    createdAt: at('created_at').notNull(),
    previousHash: bytes('previous_hash').notNull(),
    hash: bytes('hash').notNull(),
  },
  (table) => [
    uniqueIndex('transactions_wallet_sequence_key').on(table.walletId, table.sequence),
    index('transactions_reverses_idx')
      .on(table.reversesId)
      .where(sql`${table.reversesId} is not null`),
    index('transactions_expire_idx')
      .on(table.walletId, table.sequence)
      .where(sql`${table.type} = 'expire'`),
    check('transactions_type_check', oneOf(table.type, transactionTypes)),
    check('transactions_status_check', sql`${table.status} = 'completed'`),
    check(
      'transactions_balance_check',
      sql`${table.balanceAfter} - ${table.balanceBefore}
        = case when ${table.type} in ('hold', 'void') then 0 else ${table.amount} end`,
    ),
  ],
);

/**
 * The sides of a transaction, append-only: amounts of one transaction sum to zero. `lot_id` is the exact
 * provenance.
 */
export const entries = creditsSchema.table(
  'entries',
  {
    transactionId: uuid('transaction_id').notNull(),
    ordinal: integer('ordinal').notNull(),
    walletId: uuid('wallet_id').notNull(),
    account: text('account').notNull(),
    amount: credits('amount').notNull(),
    lotId: uuid('lot_id'),
  },
  (table) => [
    primaryKey({ name: 'entries_pkey', columns: [table.transactionId, table.ordinal] }),
    check('entries_amount_check', sql`${table.amount} <> 0`),
  ],
);

/**
 * The first answer to each idempotency key, refusals included. `code` is null for a success. The balances
 * are those right after (or, for a refusal, at) the decision, and `details` is what else the answer said (a
 * hold, the members of a refusal), so that a replay needs no other row.
 */
export const idempotencyKeys = creditsSchema.table(
  'idempotency_keys',
  {
    walletId: uuid('wallet_id').notNull(),
    appId: text('app_id').notNull(),
    key: text('key').notNull(),
    requestHash: bytes('request_hash').notNull(),
    code: text('code'),
    transactionId: uuid('transaction_id'),
    balanceBefore: credits('balance_before').notNull(),
    free: credits('free').notNull(),
    paid: credits('paid').notNull(),
    held: credits('held').notNull(),
    totalSpent: credits('total_spent').notNull(),
    createdAt: at('created_at').notNull(),
    details: jsonb('details'),
  },
  (table) => [
    primaryKey({ name: 'idempotency_keys_pkey', columns: [table.walletId, table.appId, table.key] }),
    /** For the job that forgets refusals. */
    index('idempotency_keys_refused_idx')
      .on(table.createdAt)
      .where(sql`${table.code} is not null`),
    check('idempotency_keys_outcome_check', sql`${table.code} is null or ${table.transactionId} is null`),
  ],
);

/** Transactions whose words are forgotten, since the person was; `seal` proves what is left of them. */
export const erasedTexts = creditsSchema.table(
  'erased_texts',
  {
    transactionId: uuid('transaction_id').primaryKey(),
    walletId: uuid('wallet_id').notNull(),
    seal: bytes('seal').notNull(),
    erasedAt: at('erased_at').notNull(),
    /** The model went with the words, as it did before 0061; the usage statistics still count by it. */
    isModelLost: boolean('is_model_lost').notNull().default(false),
  },
  (table) => [
    index('erased_texts_model_lost_idx')
      .on(table.walletId)
      .where(sql`${table.isModelLost}`),
  ],
);

/** How many decimal places the amounts of this ledger have, noted by the first start: one row. */
export const scale = creditsSchema.table(
  'scale',
  {
    isOnly: boolean('is_only').primaryKey().default(true),
    decimals: smallint('decimals').notNull(),
  },
  (table) => [
    check('scale_is_only_check', sql`${table.isOnly}`),
    check('scale_decimals_check', sql`${table.decimals} between 0 and 6`),
  ],
);
