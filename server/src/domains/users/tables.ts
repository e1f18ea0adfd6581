import { sql } from 'drizzle-orm';
import { boolean, check, index, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { at, authSchema, bytes } from '../../db/columns.ts';

/** People with an account. `email` is stored normalised (NFKC, trimmed, lower case). */
export const users = authSchema.table(
  'users',
  {
    id: uuid('id').primaryKey(),
    email: text('email').notNull(),
    emailVerifiedAt: at('email_verified_at'),
    name: text('name'),
    username: text('username'),
    picture: text('picture'),
    role: text('role', { enum: ['user', 'admin'] })
      .notNull()
      .default('user'),
    subscriptionStatus: text('subscription_status').notNull().default('none'),
    subscriptionTier: text('subscription_tier').notNull().default('free'),
    stripeCustomerId: text('stripe_customer_id'),
    paypalCustomerId: text('paypal_customer_id'),
    auth0Id: text('auth0_id'),
    isActive: boolean('is_active').notNull().default(true),
    /** Since when the row is a tombstone: what the books refer to, leading to nobody. */
    erasedAt: at('erased_at'),
    createdAt: at('created_at').notNull(),
    updatedAt: at('updated_at').notNull(),
    /** Deactivated and banned are two things; an account is active while it is neither. */
    deactivatedAt: at('deactivated_at'),
    /** With a reason, until a time or for good. */
    bannedAt: at('banned_at'),
    banEndsAt: at('ban_ends_at'),
    banReason: text('ban_reason'),
  },
  (table) => [
    uniqueIndex('users_email_key').on(table.email),
    uniqueIndex('users_username_key').on(sql`lower(${table.username})`),
    uniqueIndex('users_auth0_id_key').on(table.auth0Id),
    uniqueIndex('users_stripe_customer_id_key').on(table.stripeCustomerId),
    uniqueIndex('users_paypal_customer_id_key').on(table.paypalCustomerId),
    check('users_role_check', sql`${table.role} in ('user', 'admin')`),
    check(
      'users_ban_check',
      sql`(${table.bannedAt} is null) = (${table.banReason} is null) and (${table.banEndsAt} is null or ${table.bannedAt} is not null)`,
    ),
    index('users_ban_ends_idx')
      .on(table.banEndsAt)
      .where(sql`${table.banEndsAt} is not null`),
    index('users_created_idx')
      .on(table.createdAt, table.id)
      .where(sql`${table.erasedAt} is null`),
    index('users_active_idx')
      .on(table.isActive, table.createdAt, table.id)
      .where(sql`${table.erasedAt} is null`),
    index('users_banned_idx')
      .on(table.createdAt, table.id)
      .where(sql`${table.bannedAt} is not null`),
    index('users_admins_idx')
      .on(table.createdAt, table.id)
      .where(sql`${table.role} = 'admin'`),
    index('users_email_search_idx')
      .on(sql`${table.email} collate "C"`, table.createdAt, table.id)
      .where(sql`${table.erasedAt} is null`),
    index('users_domain_search_idx').on(
      sql`split_part(${table.email}, '@', 2) collate "C"`,
      table.createdAt,
      table.id,
    ),
    index('users_username_search_idx')
      .on(sql`lower(${table.username}) collate "C"`, table.createdAt, table.id)
      .where(sql`${table.username} is not null`),
    index('users_name_search_idx')
      .on(sql`lower(${table.name}) collate "C"`, table.createdAt, table.id)
      .where(sql`${table.name} is not null`),
    index('users_last_name_search_idx')
      .on(sql`lower(substring(${table.name} from '\\S+$')) collate "C"`, table.createdAt, table.id)
      .where(sql`${table.name} is not null`),
  ],
);

/** A link that makes whoever opens it the first administrator, as SHA-256; printed while there is none. */
export const firstAdminLinks = authSchema.table(
  'first_admin_links',
  {
    id: uuid('id').primaryKey(),
    tokenHash: bytes('token_hash').notNull(),
    createdAt: at('created_at').notNull(),
    expiresAt: at('expires_at').notNull(),
    consumedAt: at('consumed_at'),
  },
  (table) => [uniqueIndex('first_admin_links_token_hash_key').on(table.tokenHash)],
);
