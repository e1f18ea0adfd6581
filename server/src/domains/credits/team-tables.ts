import { check, index, jsonb, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { at, creditsSchema } from '../../db/columns.ts';
import { users } from '../users/tables.ts';
import { balances, oneOf } from './tables.ts';

export const teamRoles = ['owner', 'admin', 'member'] as const;
export type TeamRole = (typeof teamRoles)[number];

/**
 * What a team wallet is called; the wallet itself is a row of `credits.balances` without an owner of its
 * own.
 */
export const teams = creditsSchema.table(
  'teams',
  {
    walletId: uuid('wallet_id')
      .primaryKey()
      .references(() => balances.walletId, { onDelete: 'restrict' }),
    name: text('name').notNull(),
    createdBy: uuid('created_by').references(() => users.id, { onDelete: 'set null' }),
    createdAt: at('created_at').notNull(),
  },
  (table) => [index('teams_created_by_idx').on(table.createdBy)],
);

/** Who is in a team, and as what. What a member may spend stands in `credits.mandates`. */
export const teamMembers = creditsSchema.table(
  'team_members',
  {
    walletId: uuid('wallet_id')
      .notNull()
      .references(() => teams.walletId, { onDelete: 'restrict' }),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    role: text('role', { enum: teamRoles }).notNull(),
    createdAt: at('created_at').notNull(),
  },
  (table) => [
    primaryKey({ name: 'team_members_pkey', columns: [table.walletId, table.userId] }),
    index('team_members_user_idx').on(table.userId),
    check('team_members_role_check', oneOf(table.role, teamRoles)),
  ],
);

/**
 * An address that has been asked to join a team, whether or not it has an account. `spending_limit` is what
 * the person may spend from then on, as the API takes it.
 */
export const teamInvitations = creditsSchema.table(
  'team_invitations',
  {
    id: uuid('id').primaryKey(),
    walletId: uuid('wallet_id')
      .notNull()
      .references(() => teams.walletId, { onDelete: 'restrict' }),
    email: text('email').notNull(),
    role: text('role', { enum: teamRoles }).notNull(),
    spendingLimit: jsonb('spending_limit'),
    invitedBy: uuid('invited_by').references(() => users.id, { onDelete: 'cascade' }),
    createdAt: at('created_at').notNull(),
    expiresAt: at('expires_at').notNull(),
  },
  (table) => [
    uniqueIndex('team_invitations_wallet_email_key').on(table.walletId, table.email),
    index('team_invitations_email_idx').on(table.email),
    index('team_invitations_invited_by_idx').on(table.invitedBy),
    check('team_invitations_role_check', oneOf(table.role, teamRoles)),
  ],
);
