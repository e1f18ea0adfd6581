import { sql } from 'drizzle-orm';
import { check, index, text, uuid } from 'drizzle-orm/pg-core';
import { at, authSchema, bytes } from '../../db/columns.ts';
import { users } from '../users/tables.ts';
import { accounts, sessions } from './tables.ts';

/**
 * A browser on its way to another provider and back: used once, within minutes. Nonce and verifier are
 * derived from the state, of which only the hash is here.
 */
export const upstreamAttempts = authSchema.table(
  'upstream_attempts',
  {
    stateHash: bytes('state_hash').primaryKey(),
    /** SHA-256 of the cookie of the browser; null until a link that adds an account is opened. */
    browserHash: bytes('browser_hash'),
    /** Name of the provider in the settings. */
    provider: text('provider').notNull(),
    /** Who adds an account to theirs, and in which session; null signs somebody in. */
    userId: uuid('user_id').references(() => users.id, { onDelete: 'cascade' }),
    /** Not a foreign key: whether it lives is asked when it is used. */
    sessionId: uuid('session_id'),
    callbackPath: text('callback_path').notNull(),
    returnTo: text('return_to').notNull(),
    failTo: text('fail_to').notNull(),
    handsOver: text('hands_over', { enum: ['nothing', 'person', 'code', 'tokens'] }).notNull(),
    codeChallenge: text('code_challenge'),
    createdAt: at('created_at').notNull(),
    expiresAt: at('expires_at').notNull(),
  },
  (table) => [
    index('upstream_attempts_user_idx')
      .on(table.userId)
      .where(sql`${table.userId} is not null`),
    index('upstream_attempts_expires_idx').on(table.expiresAt),
    check(
      'upstream_attempts_hands_over_check',
      sql`${table.handsOver} in ('nothing', 'person', 'code', 'tokens')`,
    ),
  ],
);

/**
 * A single-use code, until it is redeemed where it is bound to. It stands for a session just opened, or for
 * an account that has just identified its owner, for whom the page opens a session.
 */
export const sessionCodes = authSchema.table(
  'session_codes',
  {
    codeHash: bytes('code_hash').primaryKey(),
    sessionId: uuid('session_id').references(() => sessions.id, { onDelete: 'cascade', onUpdate: 'cascade' }),
    accountId: uuid('account_id').references(() => accounts.id, { onDelete: 'cascade' }),
    /** The origin of the front end that exchanges it for tokens, or the page that goes on with it. */
    boundTo: text('bound_to').notNull(),
    codeChallenge: text('code_challenge'),
    createdAt: at('created_at').notNull(),
    expiresAt: at('expires_at').notNull(),
    consumedAt: at('consumed_at'),
  },
  (table) => [
    index('session_codes_session_idx')
      .on(table.sessionId)
      .where(sql`${table.sessionId} is not null`),
    index('session_codes_account_idx')
      .on(table.accountId)
      .where(sql`${table.accountId} is not null`),
    check('session_codes_stands_for_check', sql`num_nonnulls(${table.sessionId}, ${table.accountId}) = 1`),
    index('session_codes_expires_idx').on(table.expiresAt),
  ],
);
