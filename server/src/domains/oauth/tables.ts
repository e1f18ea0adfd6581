import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  index,
  integer,
  jsonb,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { at, bytes, oauthSchema } from '../../db/columns.ts';
import { applications, grants } from '../applications/tables.ts';
import { sessions } from '../auth/tables.ts';
import { users } from '../users/tables.ts';

/** An object of the protocol whose members are the client's to choose: claims, authorization details. */
export type JsonObject = Record<string, unknown>;

export const userId = () =>
  uuid('user_id')
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' });
export const applicationId = () =>
  uuid('application_id')
    .notNull()
    .references(() => applications.id, { onDelete: 'cascade' });
const authorizationId = () =>
  uuid('authorization_id')
    .notNull()
    .references(() => authorizations.id, { onDelete: 'cascade' });

/**
 * An application at work for a person: what every code and token of it hangs on. One per sign-in session
 * and application, living as long as its session, or beyond it when the person granted `offline_access`.
 * Its id is `sid` of the tokens, and its row is what refresh and revocation queue at.
 */
export const authorizations = oauthSchema.table(
  'authorizations',
  {
    id: uuid('id').primaryKey(),
    grantId: uuid('grant_id')
      .notNull()
      .references(() => grants.id, { onDelete: 'cascade' }),
    applicationId: applicationId(),
    userId: userId(),
    sessionId: uuid('session_id').references(() => sessions.id, {
      onDelete: 'set null',
      onUpdate: 'cascade',
    }),
    outlivesSession: boolean('outlives_session').notNull().default(false),
    createdAt: at('created_at').notNull(),
    expiresAt: at('expires_at').notNull(),
    revokedAt: at('revoked_at'),
    revokedReason: text('revoked_reason'),
  },
  (table) => [
    index('authorizations_grant_idx').on(table.grantId),
    index('authorizations_application_idx').on(table.applicationId),
    index('authorizations_user_idx').on(table.userId),
    index('authorizations_expires_idx').on(table.expiresAt),
    uniqueIndex('authorizations_session_application_key')
      .on(table.sessionId, table.applicationId)
      .where(sql`${table.revokedAt} is null and ${table.sessionId} is not null`),
  ],
);

/** Scopes that a grant holds at one API; `resource` is its identifier. @see RFC 8707 */
export const grantResources = oauthSchema.table(
  'grant_resources',
  {
    grantId: uuid('grant_id')
      .notNull()
      .references(() => grants.id, { onDelete: 'cascade' }),
    resource: text('resource').notNull(),
    scopes: text('scopes').array().notNull(),
  },
  (table) => [primaryKey({ name: 'grant_resources_pk', columns: [table.grantId, table.resource] })],
);

/** What codes, device codes and refresh tokens carry on to the tokens made from them. */
const source = () => ({
  scope: text('scope'),
  resources: text('resources').array().notNull(),
  claims: jsonb('claims').$type<JsonObject>(),
  authorizationDetails: jsonb('authorization_details').$type<JsonObject[]>(),
  nonce: text('nonce'),
  acr: text('acr'),
  amr: text('amr').array(),
  authenticatedAt: at('authenticated_at'),
});

/**
 * Authorization codes as SHA-256: single use, a minute. Those of the JSON flow live for ten, and may be
 * redeemed there by the verifier alone.
 */
export const authorizationCodes = oauthSchema.table(
  'authorization_codes',
  {
    codeHash: bytes('code_hash').primaryKey(),
    authorizationId: authorizationId(),
    redirectUri: text('redirect_uri').notNull(),
    codeChallenge: text('code_challenge'),
    isJsonFlow: boolean('is_json_flow').notNull().default(false),
    dpopThumbprint: text('dpop_thumbprint'),
    ...source(),
    createdAt: at('created_at').notNull(),
    expiresAt: at('expires_at').notNull(),
    consumedAt: at('consumed_at'),
  },
  (table) => [
    index('authorization_codes_authorization_idx').on(table.authorizationId),
    index('authorization_codes_expires_idx').on(table.expiresAt),
  ],
);

/**
 * Refresh tokens as SHA-256. Those that follow one another are a family, begun by one code. `sealed_answer`
 * is what the token was exchanged for, kept for a lost race within the reuse window.
 */
export const refreshTokens = oauthSchema.table(
  'refresh_tokens',
  {
    tokenHash: bytes('token_hash').primaryKey(),
    familyId: uuid('family_id').notNull(),
    authorizationId: authorizationId(),
    previousHash: bytes('previous_hash'),
    rotations: integer('rotations').notNull(),
    grantTypes: text('grant_types').notNull(),
    dpopThumbprint: text('dpop_thumbprint'),
    ...source(),
    familyCreatedAt: at('family_created_at').notNull(),
    createdAt: at('created_at').notNull(),
    expiresAt: at('expires_at').notNull(),
    consumedAt: at('consumed_at'),
    sealedAnswer: bytes('sealed_answer'),
  },
  (table) => [
    index('refresh_tokens_authorization_idx').on(table.authorizationId),
    index('refresh_tokens_answered_idx')
      .on(table.consumedAt)
      .where(sql`${table.sealedAnswer} is not null`),
    uniqueIndex('refresh_tokens_previous_key')
      .on(table.previousHash)
      .where(sql`${table.previousHash} is not null`),
  ],
);

/**
 * Access tokens by the SHA-256 of their `jti`: those that were revoked, and those for which claims were asked
 * one by one, which they do not say themselves. Without an authorization, an application's own.
 */
export const accessTokens = oauthSchema.table(
  'access_tokens',
  {
    jtiHash: bytes('jti_hash').primaryKey(),
    authorizationId: uuid('authorization_id').references(() => authorizations.id, { onDelete: 'cascade' }),
    applicationId: applicationId(),
    scope: text('scope'),
    audience: text('audience').notNull(),
    claims: jsonb('claims').$type<JsonObject>(),
    authorizationDetails: jsonb('authorization_details').$type<JsonObject[]>(),
    grantTypes: text('grant_types'),
    dpopThumbprint: text('dpop_thumbprint'),
    createdAt: at('created_at').notNull(),
    expiresAt: at('expires_at').notNull(),
    revokedAt: at('revoked_at'),
  },
  (table) => [
    index('access_tokens_authorization_idx').on(table.authorizationId),
    index('access_tokens_application_idx').on(table.applicationId),
    index('access_tokens_expires_idx').on(table.expiresAt),
  ],
);

/** Codes that a device polls with and that a person types in, both as SHA-256. @see RFC 8628 */
export const deviceCodes = oauthSchema.table(
  'device_codes',
  {
    codeHash: bytes('code_hash').primaryKey(),
    userCodeHash: bytes('user_code_hash').notNull(),
    applicationId: applicationId(),
    /** Set once a person has agreed. */
    authorizationId: uuid('authorization_id').references(() => authorizations.id, { onDelete: 'cascade' }),
    /** What the device asked for, as it asked. */
    parameters: jsonb('parameters').$type<JsonObject>().notNull(),
    ipAddress: text('ip_address'),
    userAgent: text('user_agent'),
    isInFlight: boolean('is_in_flight').notNull().default(false),
    error: text('error'),
    errorDescription: text('error_description'),
    ...source(),
    createdAt: at('created_at').notNull(),
    expiresAt: at('expires_at').notNull(),
    /** When the device asked last, and how long it has to wait between two tries. */
    polledAt: at('polled_at'),
    intervalSeconds: integer('interval_seconds').notNull().default(5),
    consumedAt: at('consumed_at'),
  },
  (table) => [
    index('device_codes_application_idx').on(table.applicationId),
    index('device_codes_authorization_idx').on(table.authorizationId),
    index('device_codes_expires_idx').on(table.expiresAt),
    uniqueIndex('device_codes_user_code_key').on(table.userCodeHash),
    check('device_codes_interval_check', sql`${table.intervalSeconds} > 0`),
  ],
);

/** Authorization requests that applications left here beforehand. @see RFC 9126 */
export const pushedRequests = oauthSchema.table(
  'pushed_requests',
  {
    requestHash: bytes('request_hash').primaryKey(),
    /** The request as a JWT, which the library made or the application signed. */
    request: text('request').notNull(),
    dpopThumbprint: text('dpop_thumbprint'),
    isTrusted: boolean('is_trusted').notNull(),
    createdAt: at('created_at').notNull(),
    expiresAt: at('expires_at').notNull(),
    consumedAt: at('consumed_at'),
  },
  (table) => [index('pushed_requests_expires_idx').on(table.expiresAt)],
);

/** Proofs and assertions that were used, by digest, as long as they could be used again. */
export const usedProofs = oauthSchema.table(
  'used_proofs',
  {
    proofHash: bytes('proof_hash').primaryKey(),
    expiresAt: at('expires_at').notNull(),
  },
  (table) => [index('used_proofs_expires_idx').on(table.expiresAt)],
);
