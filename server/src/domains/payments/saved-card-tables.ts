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
  uuid,
} from 'drizzle-orm/pg-core';
import { at, paymentsSchema } from '../../db/columns.ts';
import { packages } from '../credits/sales-tables.ts';
import { users } from '../users/tables.ts';
import { refundRequests } from './tables.ts';

/** What a person agreed to for automatic top-ups; `paused` ones wait until they agree anew (`reason`). */
export const topUps = paymentsSchema.table(
  'top_ups',
  {
    userId: uuid('user_id')
      .primaryKey()
      .references(() => users.id, { onDelete: 'cascade' }),
    packageId: text('package_id')
      .notNull()
      .references(() => packages.id, { onDelete: 'cascade' }),
    threshold: bigint('threshold', { mode: 'number' }).notNull(),
    monthlyCapCents: integer('monthly_cap_cents').notNull(),
    priceCents: integer('price_cents').notNull(),
    currency: text('currency').notNull(),
    status: text('status', { enum: ['active', 'paused'] }).notNull(),
    reason: text('reason'),
    agreedAt: at('agreed_at').notNull(),
    nextTryAt: at('next_try_at').notNull(),
    /** What the package had when it was agreed to. */
    packageCredits: bigint('package_credits', { mode: 'number' }).notNull(),
  },
  (table) => [
    index('top_ups_package_idx').on(table.packageId),
    index('top_ups_due_idx')
      .on(table.nextTryAt)
      .where(sql`${table.status} = 'active'`),
    check('top_ups_credits_check', sql`${table.packageCredits} > 0`),
    check('top_ups_threshold_check', sql`${table.threshold} > 0`),
    check(
      'top_ups_cap_check',
      sql`${table.priceCents} > 0 and ${table.monthlyCapCents} >= ${table.priceCents}`,
    ),
    check('top_ups_currency_check', sql`${table.currency} ~ '^[A-Z]{3}$'`),
    check(
      'top_ups_status_check',
      sql`${table.status} in ('active', 'paused') and (${table.status} = 'paused') = (${table.reason} is not null)`,
    ),
  ],
);

/** What banks have said of cards that were probably stolen, and what was done about it. */
export const fraudWarnings = paymentsSchema.table(
  'fraud_warnings',
  {
    provider: text('provider').notNull(),
    warningId: text('warning_id').notNull(),
    paymentId: text('payment_id').notNull(),
    reason: text('reason').notNull(),
    isActionable: boolean('is_actionable').notNull(),
    isLive: boolean('is_live').notNull(),
    receivedAt: at('received_at').notNull(),
    answer: text('answer', { enum: ['recorded', 'frozen', 'refunded'] }),
    answeredAt: at('answered_at'),
    refundRequestId: uuid('refund_request_id'),
  },
  (table) => [
    primaryKey({ name: 'fraud_warnings_pkey', columns: [table.provider, table.warningId] }),
    foreignKey({
      name: 'fraud_warnings_refund_request_id_refund_requests_id_fk',
      columns: [table.refundRequestId],
      foreignColumns: [refundRequests.id],
    }).onDelete('set null'),
    index('fraud_warnings_open_idx')
      .on(table.receivedAt)
      .where(sql`${table.answer} is null`),
    index('fraud_warnings_payment_idx').on(table.provider, table.paymentId),
    index('fraud_warnings_request_idx')
      .on(table.refundRequestId)
      .where(sql`${table.refundRequestId} is not null`),
    check('fraud_warnings_answer_check', sql`${table.answer} in ('recorded', 'frozen', 'refunded')`),
  ],
);
