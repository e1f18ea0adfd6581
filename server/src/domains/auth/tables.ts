import { sql } from 'drizzle-orm';
import { bigint, check, index, jsonb, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { at, authSchema, bytes } from '../../db/columns.ts';
import { users } from '../users/tables.ts';

/** The column of a row that belongs to one person and goes when they go. */
const ownerId = () =>
  uuid('user_id')
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' });

/**
 * A signed-in device. Its access tokens name it as `sid`; it lives until `expires_at`, or until it is
 * revoked.
 */
export const sessions = authSchema.table(
  'sessions',
  {
    id: uuid('id').primaryKey(),
    userId: ownerId(),
    deviceId: text('device_id'),
    deviceName: text('device_name'),
    userAgent: text('user_agent'),
    ipAddress: text('ip_address'),
    /** SHA-256 of the sign-in cookie that sibling apps exchange at `/session-to-token`. */
    cookieHash: bytes('cookie_hash'),
    /** How the person showed last that it is them. @see RFC 8176 */
    amr: text('amr')
      .array()
      .notNull()
      .default(sql`'{pwd}'`),
    /** The account at another provider that opened it; without a cookie, it is for bearer tokens of it. */
    accountId: uuid('account_id').references(() => accounts.id, { onDelete: 'set null' }),
    createdAt: at('created_at').notNull(),
    /** When the person showed last that it is them; null: at the sign-in that opened the session. */
    authenticatedAt: at('authenticated_at'),
    lastUsedAt: at('last_used_at').notNull(),
    expiresAt: at('expires_at').notNull(),
    revokedAt: at('revoked_at'),
    revokedReason: text('revoked_reason'),
    /** The administrator who looks at the account by this session; null: it is the person's own. */
    impersonatorId: uuid('impersonator_id').references(() => users.id, { onDelete: 'cascade' }),
  },
  (table) => [
    index('sessions_impersonator_idx')
      .on(table.impersonatorId)
      .where(sql`${table.impersonatorId} is not null`),
    index('sessions_user_idx').on(table.userId, table.lastUsedAt),
    index('sessions_expires_idx').on(table.expiresAt),
    uniqueIndex('sessions_cookie_hash_key')
      .on(table.cookieHash)
      .where(sql`${table.cookieHash} is not null`),
    index('sessions_account_idx')
      .on(table.accountId, table.createdAt)
      .where(sql`${table.accountId} is not null`),
  ],
);

/**
 * Single-use refresh tokens as SHA-256. All tokens of a session are one family: they die with the session.
 */
export const refreshTokens = authSchema.table(
  'refresh_tokens',
  {
    id: uuid('id').primaryKey(),
    sessionId: uuid('session_id')
      .notNull()
      .references(() => sessions.id, { onDelete: 'cascade', onUpdate: 'cascade' }),
    userId: ownerId(),
    tokenHash: bytes('token_hash').notNull(),
    createdAt: at('created_at').notNull(),
    expiresAt: at('expires_at').notNull(),
    consumedAt: at('consumed_at'),
  },
  (table) => [
    uniqueIndex('refresh_tokens_token_hash_key').on(table.tokenHash),
    index('refresh_tokens_session_idx').on(table.sessionId),
    index('refresh_tokens_user_idx').on(table.userId),
  ],
);

/** One password per person: argon2id as a PHC string, or an imported hash until the next sign-in. */
export const passwords = authSchema.table('passwords', {
  userId: ownerId().primaryKey(),
  hash: text('hash').notNull(),
  createdAt: at('created_at').notNull(),
  updatedAt: at('updated_at').notNull(),
});

/**
 * Accounts at other identity providers that sign a person in. `provider` is the issuer, `provider_account_id`
 * its `sub`: together they name the account, whatever its address becomes.
 */
export const accounts = authSchema.table(
  'accounts',
  {
    id: uuid('id').primaryKey(),
    userId: ownerId(),
    provider: text('provider').notNull(),
    providerAccountId: text('provider_account_id').notNull(),
    email: text('email'),
    createdAt: at('created_at').notNull(),
    lastUsedAt: at('last_used_at').notNull(),
  },
  (table) => [
    uniqueIndex('accounts_provider_account_key').on(table.provider, table.providerAccountId),
    index('accounts_user_idx').on(table.userId),
  ],
);

export const verificationPurposes = [
  'verify_email',
  'reset_password',
  'change_email',
  'magic_link',
  'two_factor',
] as const;

/** Single-use secrets that prove control of an address or finish a sign-in, as SHA-256. */
export const verificationTokens = authSchema.table(
  'verification_tokens',
  {
    id: uuid('id').primaryKey(),
    userId: ownerId(),
    purpose: text('purpose', { enum: verificationPurposes }).notNull(),
    /** The address that the token was sent to, normalised. */
    email: text('email').notNull(),
    tokenHash: bytes('token_hash').notNull(),
    createdAt: at('created_at').notNull(),
    expiresAt: at('expires_at').notNull(),
    consumedAt: at('consumed_at'),
  },
  (table) => [
    uniqueIndex('verification_tokens_token_hash_key').on(table.tokenHash),
    index('verification_tokens_user_idx').on(table.userId, table.purpose),
    index('verification_tokens_expires_idx').on(table.expiresAt),
    check(
      'verification_tokens_purpose_check',
      sql`${table.purpose} in ('verify_email', 'reset_password', 'change_email', 'magic_link', 'two_factor')`,
    ),
  ],
);

/**
 * A person's TOTP secret, sealed. `last_step` is the last time step accepted, so that no code counts twice.
 */
export const twoFactorAuth = authSchema.table('two_factor_auth', {
  userId: ownerId().primaryKey(),
  sealedSecret: bytes('sealed_secret').notNull(),
  lastStep: bigint('last_step', { mode: 'number' }),
  enabledAt: at('enabled_at'),
  createdAt: at('created_at').notNull(),
});

/** Single-use codes for people who lost their second factor, as SHA-256. */
export const backupCodes = authSchema.table(
  'backup_codes',
  {
    id: uuid('id').primaryKey(),
    userId: ownerId(),
    codeHash: bytes('code_hash').notNull(),
    createdAt: at('created_at').notNull(),
    consumedAt: at('consumed_at'),
  },
  (table) => [uniqueIndex('backup_codes_user_code_key').on(table.userId, table.codeHash)],
);

/**
 * What happened to an account, for its owner to read: append-only, no secrets. No user: the address was
 * unknown.
 */
export const securityEvents = authSchema.table(
  'security_events',
  {
    id: uuid('id').primaryKey(),
    userId: uuid('user_id').references(() => users.id, { onDelete: 'cascade' }),
    /** Not a foreign key: the trail outlives the session. */
    sessionId: uuid('session_id'),
    type: text('type').notNull(),
    ipAddress: text('ip_address'),
    userAgent: text('user_agent'),
    details: jsonb('details').$type<Record<string, unknown>>().notNull().default({}),
    createdAt: at('created_at').notNull(),
  },
  (table) => [
    index('security_events_user_idx').on(table.userId, table.createdAt, table.id),
    index('security_events_created_idx').on(table.createdAt),
  ],
);

/**
 * Keys that sign tokens. Published from `created_at`, signing from `signs_from_at`, gone after `retires_at`.
 */
export const signingKeys = authSchema.table('signing_keys', {
  kid: text('kid').primaryKey(),
  algorithm: text('algorithm').notNull(),
  publicJwk: jsonb('public_jwk').$type<Record<string, unknown>>().notNull(),
  /** The private JWK, sealed under OBOL_SECRET and bound to `kid`. */
  sealedPrivateJwk: bytes('sealed_private_jwk').notNull(),
  createdAt: at('created_at').notNull(),
  signsFrom: at('signs_from_at').notNull(),
  retiresAt: at('retires_at'),
});
