import { sql } from 'drizzle-orm';
import { bigint, boolean, check, index, integer, jsonb, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { at, bytes, webhooksSchema } from '../../db/columns.ts';
import { applications } from '../applications/tables.ts';

/**
 * Where an application wants to hear of events. `event_types` null is all but those that must be asked for.
 * `first_failed_at` is the first failure after the last success, `slow_attempts` how many attempts in a row
 * have taken long or got no answer in time, and `wakes_at` the time for which a job has been put in to look
 * after it.
 */
export const endpoints = webhooksSchema.table(
  'endpoints',
  {
    id: uuid('id').primaryKey(),
    applicationId: uuid('application_id')
      .notNull()
      .references(() => applications.id, { onDelete: 'cascade' }),
    url: text('url').notNull(),
    description: text('description'),
    eventTypes: text('event_types').array(),
    lowBalance: bigint('low_balance', { mode: 'number' }).notNull(),
    isEnabled: boolean('is_enabled').notNull().default(true),
    disabledReason: text('disabled_reason', { enum: ['requested', 'failing', 'gone'] }),
    firstFailedAt: at('first_failed_at'),
    slowAttempts: integer('slow_attempts').notNull().default(0),
    wakesAt: at('wakes_at'),
    createdAt: at('created_at').notNull(),
    updatedAt: at('updated_at').notNull(),
  },
  (table) => [
    index('endpoints_application_idx').on(table.applicationId),
    // Asked by every statement that spends: empty, and so free, unless somebody wants these events.
    index('endpoints_spent_idx')
      .on(table.id)
      .where(sql`${table.isEnabled} and 'credits.spent' = any (${table.eventTypes})`),
    check('endpoints_low_balance_check', sql`${table.lowBalance} > 0`),
    check('endpoints_disabled_check', sql`${table.isEnabled} = (${table.disabledReason} is null)`),
    check('endpoints_reason_check', sql`${table.disabledReason} in ('requested', 'failing', 'gone')`),
  ],
);

/** Secrets that sign what is sent to an endpoint, sealed; two while one is being rotated. */
export const endpointSecrets = webhooksSchema.table(
  'endpoint_secrets',
  {
    id: uuid('id').primaryKey(),
    endpointId: uuid('endpoint_id')
      .notNull()
      .references(() => endpoints.id, { onDelete: 'cascade' }),
    sealedSecret: bytes('sealed_secret').notNull(),
    createdAt: at('created_at').notNull(),
    expiresAt: at('expires_at'),
  },
  (table) => [index('endpoint_secrets_endpoint_idx').on(table.endpointId)],
);

/** Something that happened, written in the transaction of its cause. Its id is the `webhook-id`. */
export const events = webhooksSchema.table(
  'events',
  {
    id: uuid('id').primaryKey(),
    type: text('type').notNull(),
    data: jsonb('data').notNull(),
    happenedAt: at('happened_at').notNull(),
  },
  (table) => [index('events_happened_idx').on(table.happenedAt)],
);

/** An event on its way to an endpoint, until it has arrived or is given up. */
export const deliveries = webhooksSchema.table(
  'deliveries',
  {
    id: uuid('id').primaryKey(),
    endpointId: uuid('endpoint_id')
      .notNull()
      .references(() => endpoints.id, { onDelete: 'cascade' }),
    eventId: uuid('event_id')
      .notNull()
      .references(() => events.id, { onDelete: 'cascade' }),
    /** Whether an administrator asked for the event to be sent again. */
    isReplay: boolean('is_replay').notNull().default(false),
    status: text('status', { enum: ['pending', 'succeeded', 'failed'] })
      .notNull()
      .default('pending'),
    attemptCount: integer('attempt_count').notNull().default(0),
    createdAt: at('created_at').notNull(),
    nextAttemptAt: at('next_attempt_at'),
    completedAt: at('completed_at'),
  },
  (table) => [
    index('deliveries_endpoint_idx').on(table.endpointId, table.id),
    index('deliveries_event_idx').on(table.eventId),
    /** What is due at an endpoint, and how much waits there. */
    index('deliveries_pending_idx')
      .on(table.endpointId, table.nextAttemptAt)
      .where(sql`${table.status} = 'pending'`),
    /** What was never tried: events that found too many others waiting. */
    index('deliveries_untried_idx')
      .on(table.endpointId, table.completedAt)
      .where(sql`${table.status} = 'failed' and ${table.attemptCount} = 0`),
    index('deliveries_completed_idx')
      .on(table.completedAt)
      .where(sql`${table.completedAt} is not null`),
    uniqueIndex('deliveries_first_key')
      .on(table.endpointId, table.eventId)
      .where(sql`not ${table.isReplay}`),
    check('deliveries_status_check', sql`${table.status} in ('pending', 'succeeded', 'failed')`),
    check('deliveries_completed_check', sql`(${table.status} = 'pending') = (${table.completedAt} is null)`),
  ],
);

/** One request to an endpoint, and what came back. */
export const attempts = webhooksSchema.table(
  'attempts',
  {
    id: uuid('id').primaryKey(),
    deliveryId: uuid('delivery_id')
      .notNull()
      .references(() => deliveries.id, { onDelete: 'cascade' }),
    startedAt: at('started_at').notNull(),
    durationMs: integer('duration_ms').notNull(),
    statusCode: integer('status_code'),
    error: text('error'),
    responseExcerpt: text('response_excerpt'),
  },
  (table) => [index('attempts_delivery_idx').on(table.deliveryId, table.id)],
);
