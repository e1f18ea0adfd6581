import { sql } from 'drizzle-orm';
import { boolean, check, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { at, authSchema } from '../../db/columns.ts';

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
  },
  (table) => [
    uniqueIndex('users_email_key').on(table.email),
    uniqueIndex('users_username_key').on(sql`lower(${table.username})`),
    uniqueIndex('users_auth0_id_key').on(table.auth0Id),
    uniqueIndex('users_stripe_customer_id_key').on(table.stripeCustomerId),
    uniqueIndex('users_paypal_customer_id_key').on(table.paypalCustomerId),
    check('users_role_check', sql`${table.role} in ('user', 'admin')`),
  ],
);
