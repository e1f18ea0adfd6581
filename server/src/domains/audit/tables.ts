import { sql } from 'drizzle-orm';
import { bigint, index, jsonb, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { at, auditSchema, bytes } from '../../db/columns.ts';

/**
 * What operators and administrators did: append-only. Address and reason can be forgotten, and nothing else.
 */
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
    details: jsonb('details').$type<Record<string, unknown>>().notNull().default({}),
    createdAt: at('created_at').notNull(),
    /** The chain holds a digest over this, address and reason; gone once they are forgotten. */
    personalSalt: bytes('personal_salt').default(sql`uuid_send(gen_random_uuid())`),
  },
  (table) => [
    index('events_target_idx').on(table.targetId, table.createdAt, table.id),
    index('events_actor_idx').on(table.actorId, table.createdAt, table.id),
    index('events_action_idx').on(table.action, table.createdAt, table.id),
    index('events_created_idx').on(table.createdAt, table.id),
  ],
);

/** A link of the chain over the events: each hash is over the one before and one event. Append-only. */
export const auditSeals = auditSchema.table(
  'seals',
  {
    sequence: bigint('sequence', { mode: 'number' }).primaryKey(),
    eventId: uuid('event_id').notNull(),
    /** SHA-256 over salt, address and reason of the event, as they were when it was sealed. */
    personalHash: bytes('personal_hash').notNull(),
    previousHash: bytes('previous_hash').notNull(),
    hash: bytes('hash').notNull(),
    sealedAt: at('sealed_at').notNull(),
  },
  (table) => [uniqueIndex('seals_event_id_key').on(table.eventId)],
);

/** Events that wait for their seal: for a minute, as a rule. */
export const unsealedEvents = auditSchema.table('unsealed', {
  eventId: uuid('event_id').primaryKey(),
});
