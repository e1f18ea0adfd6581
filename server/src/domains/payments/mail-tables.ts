import { sql } from 'drizzle-orm';
import { check, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { at, paymentsSchema } from '../../db/columns.ts';
import { purchases } from '../credits/sales-tables.ts';

/**
 * What the owner of a purchase has been told of it by mail. `subject` is the provider's name of a refund, and
 * empty otherwise. Written by payments.announce_purchases alone.
 */
export const purchaseMails = paymentsSchema.table(
  'purchase_mails',
  {
    purchaseId: uuid('purchase_id')
      .notNull()
      .references(() => purchases.id, { onDelete: 'cascade' }),
    kind: text('kind', { enum: ['receipt', 'failed', 'refund'] }).notNull(),
    subject: text('subject').notNull(),
    createdAt: at('created_at').notNull(),
  },
  (table) => [
    primaryKey({ name: 'purchase_mails_pkey', columns: [table.purchaseId, table.kind, table.subject] }),
    check('purchase_mails_kind_check', sql`${table.kind} in ('receipt', 'failed', 'refund')`),
  ],
);
