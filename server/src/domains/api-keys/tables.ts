import { sql } from 'drizzle-orm';
import { check, index, integer, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { at, authSchema, bytes } from '../../db/columns.ts';
import { applications } from '../applications/tables.ts';
import { users } from '../users/tables.ts';

/** What speaks for a person or an application, until it is revoked. `rate_limit` is per minute. */
export const apiKeys = authSchema.table(
  'api_keys',
  {
    id: uuid('id').primaryKey(),
    userId: uuid('user_id').references(() => users.id, { onDelete: 'cascade' }),
    applicationId: uuid('application_id').references(() => applications.id, { onDelete: 'cascade' }),
    createdBy: uuid('created_by').references(() => users.id, { onDelete: 'set null' }),
    name: text('name').notNull(),
    scopes: text('scopes').array().notNull(),
    rateLimit: integer('rate_limit'),
    expiresAt: at('expires_at'),
    lastUsedAt: at('last_used_at'),
    revokedAt: at('revoked_at'),
    createdAt: at('created_at').notNull(),
    updatedAt: at('updated_at').notNull(),
  },
  (table) => [
    index('api_keys_user_idx').on(table.userId, table.createdAt),
    index('api_keys_application_idx').on(table.applicationId, table.createdAt),
    index('api_keys_created_by_idx').on(table.createdBy),
    check('api_keys_owner_check', sql`(${table.userId} is null) <> (${table.applicationId} is null)`),
    check('api_keys_rate_limit_check', sql`${table.rateLimit} > 0`),
  ],
);

/**
 * The digest of a key as it was shown once, until it expires; while keys are rotated there are several.
 * `start` and `last_four` are for people to recognise it by.
 */
export const apiKeySecrets = authSchema.table(
  'api_key_secrets',
  {
    id: uuid('id').primaryKey(),
    keyId: uuid('key_id')
      .notNull()
      .references(() => apiKeys.id, { onDelete: 'cascade' }),
    digest: bytes('digest').notNull(),
    start: text('start').notNull(),
    lastFour: text('last_four').notNull(),
    expiresAt: at('expires_at'),
    createdAt: at('created_at').notNull(),
  },
  (table) => [
    uniqueIndex('api_key_secrets_digest_key').on(table.digest),
    index('api_key_secrets_key_idx').on(table.keyId, table.createdAt),
  ],
);
