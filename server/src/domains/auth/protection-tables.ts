import { index, primaryKey, uuid } from 'drizzle-orm/pg-core';
import { at, authSchema, bytes } from '../../db/columns.ts';
import { users } from '../users/tables.ts';

/**
 * By what a person is recognised who signs in again: a device that named itself, a browser with our cookie, a
 * program at an address. Keyed digests; forgotten 400 days after they were seen last.
 */
export const knownDevices = authSchema.table(
  'known_devices',
  {
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    deviceHash: bytes('device_hash').notNull(),
    firstSeenAt: at('first_seen_at').notNull(),
    lastSeenAt: at('last_seen_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.userId, table.deviceHash] })],
);

/** Challenges of registrations that were answered, until they would have expired: each counts once. */
export const spentChallenges = authSchema.table(
  'spent_challenges',
  {
    challengeHash: bytes('challenge_hash').primaryKey(),
    expiresAt: at('expires_at').notNull(),
  },
  (table) => [index('spent_challenges_expires_idx').on(table.expiresAt)],
);
