import { index, jsonb, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { at, paymentsSchema } from '../../db/columns.ts';

/** Events as a payment provider delivered them, kept whether or not they could be applied. */
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
    outcome: text('outcome'),
  },
  (table) => [
    uniqueIndex('events_provider_event_key').on(table.provider, table.providerEventId),
    index('events_waiting_idx').on(table.receivedAt),
  ],
);
