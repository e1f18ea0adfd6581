import { sql } from 'drizzle-orm';
import { bigint, boolean, index, integer, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { at, authSchema, bytes } from '../../db/columns.ts';
import { users } from '../users/tables.ts';
import { accounts } from './tables.ts';

const ownerId = () =>
  uuid('user_id')
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' });

/** A key pair on a device of a person, of which this is the public half. @see WebAuthn Level 3 §4 */
export const passkeys = authSchema.table(
  'passkeys',
  {
    id: uuid('id').primaryKey(),
    userId: ownerId(),
    credentialId: bytes('credential_id').notNull(),
    /** COSE_Key. @see RFC 9053 */
    publicKey: bytes('public_key').notNull(),
    /** Grows with every use, on authenticators that count; others leave it at 0. */
    signCount: bigint('sign_count', { mode: 'number' }).notNull(),
    transports: text('transports').array().notNull(),
    isBackedUp: boolean('is_backed_up').notNull(),
    /** Whether the authenticator asked for a PIN or a fingerprint when the passkey was made. */
    isUserVerified: boolean('is_user_verified').notNull(),
    name: text('name').notNull(),
    createdAt: at('created_at').notNull(),
    lastUsedAt: at('last_used_at'),
  },
  (table) => [
    uniqueIndex('passkeys_credential_id_key').on(table.credentialId),
    index('passkeys_user_idx').on(table.userId),
  ],
);

/** WebAuthn challenges that were answered, for as long as they could be answered again. */
export const usedChallenges = authSchema.table(
  'used_challenges',
  {
    challengeHash: bytes('challenge_hash').primaryKey(),
    expiresAt: at('expires_at').notNull(),
  },
  (table) => [index('used_challenges_expires_idx').on(table.expiresAt)],
);

/** A sign-in that waits for its second factor. */
export const pendingSignIns = authSchema.table(
  'pending_sign_ins',
  {
    id: uuid('id').primaryKey(),
    userId: ownerId(),
    /** The account at another provider that was shown, if it was one: without it, the wait is over. */
    accountId: uuid('account_id').references(() => accounts.id, { onDelete: 'cascade' }),
    tokenHash: bytes('token_hash').notNull(),
    /** What was shown so far. */
    amr: text('amr').array().notNull(),
    deviceId: text('device_id'),
    deviceName: text('device_name'),
    /** Codes that were tried on it. */
    attempts: integer('attempts').notNull(),
    createdAt: at('created_at').notNull(),
    expiresAt: at('expires_at').notNull(),
    consumedAt: at('consumed_at'),
  },
  (table) => [
    uniqueIndex('pending_sign_ins_token_hash_key').on(table.tokenHash),
    index('pending_sign_ins_user_idx').on(table.userId, table.expiresAt),
    index('pending_sign_ins_account_idx')
      .on(table.accountId)
      .where(sql`${table.accountId} is not null`),
  ],
);

/** A device that is not asked for the second factor again for a while. */
export const rememberedDevices = authSchema.table(
  'remembered_devices',
  {
    id: uuid('id').primaryKey(),
    userId: ownerId(),
    tokenHash: bytes('token_hash').notNull(),
    userAgent: text('user_agent'),
    ipAddress: text('ip_address'),
    createdAt: at('created_at').notNull(),
    lastUsedAt: at('last_used_at').notNull(),
    expiresAt: at('expires_at').notNull(),
  },
  (table) => [
    uniqueIndex('remembered_devices_token_hash_key').on(table.tokenHash),
    index('remembered_devices_user_idx').on(table.userId),
  ],
);

/**
 * How often somebody tried a code of a person's within a window: from addresses that the person is known to
 * use, and from others.
 */
export const factorAttempts = authSchema.table(
  'factor_attempts',
  {
    userId: ownerId(),
    isKnownAddress: boolean('is_known_address').notNull(),
    attempts: integer('attempts').notNull(),
    windowStartedAt: at('window_started_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.userId, table.isKnownAddress] })],
);
