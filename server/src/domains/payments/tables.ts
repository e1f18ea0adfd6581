import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  jsonb,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { at, paymentsSchema } from '../../db/columns.ts';
import { purchases } from '../credits/sales-tables.ts';
import { bytes } from '../credits/tables.ts';
import { users } from '../users/tables.ts';

const cents = (name: string) => bigint(name, { mode: 'number' });

export const eventOutcomes = ['applied', 'waiting', 'ignored', 'refused', 'failed'] as const;

/**
 * Events as a payment provider delivered them, with what they say (`facts`) and what came of it: applied,
 * waiting for what it is about (`waits_for`), ignored since it says nothing about money, refused (`reason`),
 * or failed.
 */
export const paymentEvents = paymentsSchema.table(
  'events',
  {
    id: uuid('id').primaryKey(),
    provider: text('provider', { enum: ['stripe', 'paypal'] }).notNull(),
    providerEventId: text('provider_event_id').notNull(),
    type: text('type').notNull(),
    payload: jsonb('payload').notNull(),
    receivedAt: at('received_at').notNull(),
    appliedAt: at('applied_at'),
    outcome: text('outcome', { enum: eventOutcomes }),
    facts: jsonb('facts').notNull().default([]),
    isLive: boolean('is_live').notNull().default(false),
    reason: text('reason'),
    waitsFor: text('waits_for'),
    happenedAt: at('happened_at'),
  },
  (table) => [
    uniqueIndex('events_provider_event_key').on(table.provider, table.providerEventId),
    index('events_awaiting_idx')
      .on(table.waitsFor)
      .where(sql`${table.waitsFor} is not null`),
    index('events_listed_idx').on(table.receivedAt, table.id),
    check(
      'events_outcome_check',
      sql`${table.outcome} in ('applied', 'waiting', 'ignored', 'refused', 'failed')`,
    ),
  ],
);

/** Deliveries that proved not to be a provider's, or not for this service; the youngest ones, shortened. */
export const refusedDeliveries = paymentsSchema.table('refused_deliveries', {
  id: uuid('id').primaryKey(),
  provider: text('provider').notNull(),
  code: text('code').notNull(),
  body: text('body').notNull(),
  ipAddress: text('ip_address'),
  receivedAt: at('received_at').notNull(),
});

/**
 * What is known of a payment on its way: a checkout, a bill, a charge of a saved card. `opened_for` is the
 * purchase that we opened it for, `claimed_by` the one that the provider names.
 */
export const checkouts = paymentsSchema.table(
  'checkouts',
  {
    provider: text('provider').notNull(),
    checkoutId: text('checkout_id').notNull(),
    openedFor: uuid('opened_for'),
    claimedBy: uuid('claimed_by'),
    paymentId: text('payment_id'),
    status: text('status', { enum: ['open', 'processing', 'expired', 'failed', 'paid'] }).notNull(),
    amountCents: cents('amount_cents').notNull(),
    totalCents: cents('total_cents').notNull(),
    currency: text('currency').notNull(),
    customerId: text('customer_id'),
    isLive: boolean('is_live').notNull(),
    updatedAt: at('updated_at').notNull(),
  },
  (table) => [
    primaryKey({ name: 'checkouts_pkey', columns: [table.provider, table.checkoutId] }),
    index('checkouts_opened_for_idx')
      .on(table.openedFor)
      .where(sql`${table.openedFor} is not null`),
    index('checkouts_claimed_by_idx')
      .on(table.claimedBy)
      .where(sql`${table.claimedBy} is not null`),
    index('checkouts_of_payment_idx')
      .on(table.paymentId)
      .where(sql`${table.paymentId} is not null`),
    check(
      'checkouts_status_check',
      sql`${table.status} in ('open', 'processing', 'expired', 'failed', 'paid')`,
    ),
  ],
);

/** Payments that have been told of: the row that two who tell of one payment at once wait for. */
export const payments = paymentsSchema.table(
  'payments',
  {
    provider: text('provider').notNull(),
    paymentId: text('payment_id').notNull(),
    createdAt: at('created_at').notNull(),
  },
  (table) => [primaryKey({ name: 'payments_pkey', columns: [table.provider, table.paymentId] })],
);

/** Money on its way back, as the provider tells. */
export const refunds = paymentsSchema.table(
  'refunds',
  {
    provider: text('provider').notNull(),
    refundId: text('refund_id').notNull(),
    paymentId: text('payment_id').notNull(),
    refundRequestId: uuid('refund_request_id'),
    status: text('status', { enum: ['pending', 'succeeded', 'failed'] }).notNull(),
    amountCents: cents('amount_cents').notNull(),
    currency: text('currency').notNull(),
    isLive: boolean('is_live').notNull(),
    updatedAt: at('updated_at').notNull(),
    /** When it was heard of first. */
    createdAt: at('created_at').notNull(),
  },
  (table) => [
    primaryKey({ name: 'refunds_pkey', columns: [table.provider, table.refundId] }),
    index('refunds_of_payment_idx').on(table.paymentId),
    index('refunds_request_idx')
      .on(table.refundRequestId)
      .where(sql`${table.refundRequestId} is not null`),
    check('refunds_status_check', sql`${table.status} in ('pending', 'succeeded', 'failed')`),
    check('refunds_amount_check', sql`${table.amountCents} >= 0`),
  ],
);

/** Payments that a bank calls back. */
export const disputes = paymentsSchema.table(
  'disputes',
  {
    provider: text('provider').notNull(),
    disputeId: text('dispute_id').notNull(),
    paymentId: text('payment_id').notNull(),
    status: text('status', { enum: ['open', 'lost', 'won'] }).notNull(),
    amountCents: cents('amount_cents').notNull(),
    currency: text('currency').notNull(),
    isLive: boolean('is_live').notNull(),
    updatedAt: at('updated_at').notNull(),
    /** When the provider says that it was so, where its states may go back. */
    toldAt: at('told_at'),
    /** How far administrators have been told of it. */
    announcedStatus: text('announced_status'),
    /** When it was heard of first. */
    createdAt: at('created_at').notNull(),
  },
  (table) => [
    primaryKey({ name: 'disputes_pkey', columns: [table.provider, table.disputeId] }),
    index('disputes_of_payment_idx').on(table.paymentId),
    index('disputes_unannounced_idx')
      .on(table.updatedAt)
      .where(sql`${table.announcedStatus} is distinct from ${table.status}`),
    check('disputes_status_check', sql`${table.status} in ('open', 'lost', 'won')`),
    check('disputes_amount_check', sql`${table.amountCents} >= 0`),
  ],
);

/**
 * A refund that we ask a provider for; while it is `open` or `sent`, its credits are gone from the wallet.
 */
export const refundRequests = paymentsSchema.table(
  'refund_requests',
  {
    id: uuid('id').primaryKey(),
    purchaseId: uuid('purchase_id')
      .notNull()
      .references(() => purchases.id, { onDelete: 'restrict' }),
    amountCents: cents('amount_cents').notNull(),
    reason: text('reason').notNull(),
    status: text('status', { enum: ['open', 'sent', 'declined', 'failed'] }).notNull(),
    requestedBy: uuid('requested_by').references(() => users.id, { onDelete: 'set null' }),
    createdAt: at('created_at').notNull(),
    updatedAt: at('updated_at').notNull(),
    decidedBy: uuid('decided_by').references(() => users.id, { onDelete: 'set null' }),
    decidedAt: at('decided_at'),
    /** Why, in the words of who decided. */
    decision: text('decision'),
    /** Why the provider did not do it. */
    problem: text('problem'),
    idempotencyKey: text('idempotency_key'),
    requestHash: bytes('request_hash'),
    /** When the provider is asked again, as long as nobody knows whether it has heard of it. */
    nextTryAt: at('next_try_at'),
  },
  (table) => [
    index('refund_requests_purchase_idx').on(table.purchaseId),
    index('refund_requests_requested_by_idx').on(table.requestedBy),
    index('refund_requests_decided_by_idx').on(table.decidedBy),
    index('refund_requests_listed_idx').on(table.createdAt, table.id),
    index('refund_requests_due_idx')
      .on(table.nextTryAt)
      .where(sql`${table.nextTryAt} is not null`),
    uniqueIndex('refund_requests_open_key')
      .on(table.purchaseId)
      .where(sql`${table.status} = 'open' and ${table.requestedBy} is not null`),
    uniqueIndex('refund_requests_idempotency_key').on(table.requestedBy, table.idempotencyKey),
    check('refund_requests_status_check', sql`${table.status} in ('open', 'sent', 'declined', 'failed')`),
    check('refund_requests_amount_check', sql`${table.amountCents} > 0`),
  ],
);

/** What a purchase has brought to the ledger and what was taken back; the sum is its `posted_credits`. */
export const postings = paymentsSchema.table(
  'postings',
  {
    id: uuid('id').primaryKey(),
    purchaseId: uuid('purchase_id')
      .notNull()
      .references(() => purchases.id, { onDelete: 'restrict' }),
    transactionId: uuid('transaction_id'),
    amount: cents('amount').notNull(),
    createdAt: at('created_at').notNull(),
  },
  (table) => [
    index('postings_purchase_idx').on(table.purchaseId, table.id),
    uniqueIndex('postings_transaction_key').on(table.transactionId),
    check('postings_amount_check', sql`${table.amount} <> 0`),
  ],
);

/** With which certificate PayPal signed last, in each of its modes: after a restart it comes first. */
export const signingCertificates = paymentsSchema.table(
  'signing_certificates',
  {
    mode: text('mode', { enum: ['live', 'sandbox', 'stand-in'] }).primaryKey(),
    address: text('address').notNull(),
    usedAt: at('used_at').notNull(),
  },
  (table) => [
    check('signing_certificates_mode_check', sql`${table.mode} in ('live', 'sandbox', 'stand-in')`),
  ],
);

/** What came of comparing a provider with the ledger; `findings` are the first of what is to be looked at. */
export const reconciliations = paymentsSchema.table(
  'reconciliations',
  {
    id: uuid('id').primaryKey(),
    provider: text('provider', { enum: ['stripe', 'paypal'] }).notNull(),
    isLive: boolean('is_live').notNull(),
    since: at('since_at').notNull(),
    startedAt: at('started_at').notNull(),
    source: text('source', { enum: ['provider', 'export'] }).notNull(),
    repairs: boolean('repairs').notNull(),
    matched: integer('matched').notNull(),
    onlyTheirs: integer('only_theirs').notNull(),
    onlyOurs: integer('only_ours').notNull(),
    differing: integer('differing').notNull(),
    repaired: integer('repaired').notNull(),
    /** What the provider lists and does not concern this service. */
    unrelated: integer('unrelated').notNull(),
    findings: jsonb('findings').notNull(),
  },
  (table) => [
    index('reconciliations_listed_idx').on(table.provider, table.startedAt),
    check('reconciliations_provider_check', sql`${table.provider} in ('stripe', 'paypal')`),
    check('reconciliations_source_check', sql`${table.source} in ('provider', 'export')`),
  ],
);
