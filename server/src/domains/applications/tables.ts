import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  index,
  jsonb,
  primaryKey,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { appsSchema, at, bytes } from '../../db/columns.ts';
import { users } from '../users/tables.ts';

/**
 * Software that signs people in and spends credits: an OAuth client. `client_id` is also its `appId` in the
 * ledger.
 */
export const applications = appsSchema.table(
  'applications',
  {
    id: uuid('id').primaryKey(),
    clientId: text('client_id').notNull(),
    name: text('name').notNull(),
    type: text('type', { enum: ['confidential', 'public', 'native'] })
      .notNull()
      .default('confidential'),
    access: text('access', { enum: ['open', 'closed'] })
      .notNull()
      .default('closed'),
    redirectUris: text('redirect_uris').array().notNull(),
    roles: text('roles').array().notNull(),
    defaultRole: text('default_role').notNull(),
    createdBy: uuid('created_by').references(() => users.id, { onDelete: 'set null' }),
    isActive: boolean('is_active').notNull().default(true),
    createdAt: at('created_at').notNull(),
    updatedAt: at('updated_at').notNull(),
  },
  (table) => [
    uniqueIndex('applications_client_id_key').on(table.clientId),
    index('applications_created_by_idx').on(table.createdBy),
    check('applications_type_check', sql`${table.type} in ('confidential', 'public', 'native')`),
    check('applications_access_check', sql`${table.access} in ('open', 'closed')`),
  ],
);

/** SHA-256 digests of client secrets; several at once while one is being rotated. */
export const applicationSecrets = appsSchema.table(
  'application_secrets',
  {
    id: uuid('id').primaryKey(),
    applicationId: uuid('application_id')
      .notNull()
      .references(() => applications.id, { onDelete: 'cascade' }),
    secretHash: bytes('secret_hash').notNull(),
    createdAt: at('created_at').notNull(),
    expiresAt: at('expires_at'),
  },
  (table) => [index('application_secrets_application_idx').on(table.applicationId)],
);

/** A user's role in an application: membership is access. */
export const memberships = appsSchema.table(
  'memberships',
  {
    applicationId: uuid('application_id')
      .notNull()
      .references(() => applications.id, { onDelete: 'cascade' }),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    role: text('role').notNull(),
    createdAt: at('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.applicationId, table.userId] }),
    index('memberships_user_idx').on(table.userId),
  ],
);

/** Requests for access to a closed application; one open request per user and application. */
export const accessRequests = appsSchema.table(
  'access_requests',
  {
    id: uuid('id').primaryKey(),
    applicationId: uuid('application_id')
      .notNull()
      .references(() => applications.id, { onDelete: 'cascade' }),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    message: text('message'),
    status: text('status', { enum: ['pending', 'approved', 'denied'] })
      .notNull()
      .default('pending'),
    decidedBy: uuid('decided_by').references(() => users.id, { onDelete: 'set null' }),
    decidedReason: text('decided_reason'),
    decidedAt: at('decided_at'),
    createdAt: at('created_at').notNull(),
  },
  (table) => [
    uniqueIndex('access_requests_open_key')
      .on(table.applicationId, table.userId)
      .where(sql`${table.status} = 'pending'`),
    index('access_requests_user_idx').on(table.userId),
    index('access_requests_decided_by_idx').on(table.decidedBy),
    check('access_requests_status_check', sql`${table.status} in ('pending', 'approved', 'denied')`),
  ],
);

/** What a user consented to for an application: an entry under "connected apps". */
export const grants = appsSchema.table(
  'grants',
  {
    id: uuid('id').primaryKey(),
    applicationId: uuid('application_id')
      .notNull()
      .references(() => applications.id, { onDelete: 'cascade' }),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    scopes: text('scopes').array().notNull(),
    authorizationDetails: jsonb('authorization_details').notNull().default([]),
    createdAt: at('created_at').notNull(),
    updatedAt: at('updated_at').notNull(),
    revokedAt: at('revoked_at'),
  },
  (table) => [
    index('grants_user_idx').on(table.userId),
    unique('grants_application_user_key').on(table.applicationId, table.userId),
  ],
);
