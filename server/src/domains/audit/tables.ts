import { index, jsonb, text, uuid } from 'drizzle-orm/pg-core';
import { at, auditSchema } from '../../db/columns.ts';

/** What operators and administrators did: append-only. */
export const auditEvents = auditSchema.table(
  'events',
  {
    id: uuid('id').primaryKey(),
    action: text('action').notNull(),
    actorType: text('actor_type', { enum: ['user', 'operator', 'system', 'application'] }).notNull(),
    actorId: text('actor_id'),
    targetType: text('target_type'),
    targetId: text('target_id'),
    reason: text('reason'),
    ipAddress: text('ip_address'),
    details: jsonb('details').notNull().default({}),
    createdAt: at('created_at').notNull(),
  },
  (table) => [index('events_target_idx').on(table.targetType, table.targetId, table.createdAt)],
);
