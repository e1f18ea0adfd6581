import { sql } from 'drizzle-orm';
import { index, integer, jsonb, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { at, bytes, oauthSchema } from '../../db/columns.ts';
import { users } from '../users/tables.ts';
import { applicationId, userId, type JsonObject } from './tables.ts';

/** A person's way through the pages, from the authorization request to the answer. */
export const interactions = oauthSchema.table(
  'interactions',
  {
    uidHash: bytes('uid_hash').primaryKey(),
    prompt: text('prompt').notNull(),
    reasons: text('reasons').array().notNull(),
    details: jsonb('details').$type<JsonObject>().notNull(),
    /** The authorization request, as it was asked. */
    parameters: jsonb('parameters').$type<JsonObject>().notNull(),
    trustedParameters: text('trusted_parameters').array().notNull(),
    result: jsonb('result').$type<JsonObject>(),
    lastSubmission: jsonb('last_submission').$type<JsonObject>(),
    sessionUid: text('session_uid'),
    userId: uuid('user_id').references(() => users.id, { onDelete: 'cascade' }),
    correlationId: text('correlation_id').notNull(),
    /** Whether the answer goes to a device instead of a redirect address. */
    deviceCodeHash: bytes('device_code_hash'),
    pushedRequestHash: bytes('pushed_request_hash'),
    expiresAt: at('expires_at').notNull(),
  },
  (table) => [
    index('interactions_user_idx').on(table.userId),
    index('interactions_expires_idx').on(table.expiresAt),
  ],
);

/**
 * What a browser is in the middle of on the pages for devices and signing out. `cookie_hash` stands for a
 * browser in which nobody is signed in.
 */
export const browserStates = oauthSchema.table(
  'browser_states',
  {
    sessionUid: text('session_uid').primaryKey(),
    cookieHash: bytes('cookie_hash'),
    formSecret: text('form_secret'),
    clientId: text('client_id'),
    clientState: text('client_state'),
    postLogoutRedirectUri: text('post_logout_redirect_uri'),
    expiresAt: at('expires_at').notNull(),
  },
  (table) => [
    uniqueIndex('browser_states_cookie_key')
      .on(table.cookieHash)
      .where(sql`${table.cookieHash} is not null`),
    index('browser_states_expires_idx').on(table.expiresAt),
  ],
);

/**
 * Applications that are told that a person has signed out, and what came of it. @see OpenID Connect
 * Back-Channel Logout 1.0
 */
export const logoutNotices = oauthSchema.table(
  'logout_notices',
  {
    id: uuid('id').primaryKey(),
    applicationId: applicationId(),
    userId: userId(),
    /** The `sid` that the application knows; not a foreign key, since the authorization may be gone first. */
    authorizationId: uuid('authorization_id').notNull(),
    createdAt: at('created_at').notNull(),
    attempts: integer('attempts').notNull().default(0),
    lastError: text('last_error'),
    deliveredAt: at('delivered_at'),
  },
  (table) => [
    index('logout_notices_application_idx').on(table.applicationId),
    index('logout_notices_user_idx').on(table.userId),
    index('logout_notices_created_idx').on(table.createdAt),
  ],
);
