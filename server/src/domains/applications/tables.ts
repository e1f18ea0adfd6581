import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  date,
  index,
  integer,
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
 * What an application may ask tokens with; implicit and password are not among them. @see RFC 9700 §2.1.2,
 * §2.4
 */
export const grantTypes = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
  'urn:ietf:params:oauth:grant-type:device_code',
  'urn:ietf:params:oauth:grant-type:token-exchange',
] as const;

/** How an application identifies itself; `none` is for those that cannot keep a secret. */
export const tokenEndpointAuthMethods = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'none',
] as const;

export const idTokenAlgorithms = ['RS256', 'ES256', 'EdDSA'] as const;

/** Public keys. @see RFC 7517 §5 */
export type JsonWebKeySet = { keys: Record<string, unknown>[] };

/** What a person consented to in detail. @see RFC 9396 §2 */
export type AuthorizationDetail = Record<string, unknown>;

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
    postLogoutRedirectUris: text('post_logout_redirect_uris').array().notNull().default([]),
    backchannelLogoutUri: text('backchannel_logout_uri'),
    grantTypes: text('grant_types', { enum: grantTypes })
      .array()
      .notNull()
      .default(['authorization_code', 'refresh_token']),
    tokenEndpointAuthMethod: text('token_endpoint_auth_method', { enum: tokenEndpointAuthMethods })
      .notNull()
      .default('client_secret_basic'),
    jwks: jsonb('jwks').$type<JsonWebKeySet>(),
    jwksUri: text('jwks_uri'),
    idTokenAlgorithm: text('id_token_algorithm', { enum: idTokenAlgorithms }).notNull().default('RS256'),
    logoUri: text('logo_uri'),
    clientUri: text('client_uri'),
    policyUri: text('policy_uri'),
    termsUri: text('terms_uri'),
    contacts: text('contacts').array().notNull().default([]),
    pkceRequired: boolean('pkce_required').notNull().default(true),
    dpopBound: boolean('dpop_bound').notNull().default(false),
    requireSecondFactor: boolean('require_second_factor').notNull().default(false),
    isVerified: boolean('is_verified').notNull().default(false),
    isSelfRegistered: boolean('is_self_registered').notNull().default(false),
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
    check(
      'applications_grant_types_check',
      sql`${table.grantTypes} <@ array['authorization_code', 'refresh_token', 'client_credentials',
        'urn:ietf:params:oauth:grant-type:device_code', 'urn:ietf:params:oauth:grant-type:token-exchange']`,
    ),
    check(
      'applications_auth_method_check',
      sql`${table.tokenEndpointAuthMethod}
        in ('client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none')`,
    ),
    check(
      'applications_id_token_algorithm_check',
      sql`${table.idTokenAlgorithm} in ('RS256', 'ES256', 'EdDSA')`,
    ),
    check('applications_jwks_check', sql`${table.jwks} is null or ${table.jwksUri} is null`),
    check('applications_pkce_check', sql`${table.pkceRequired} or ${table.type} = 'confidential'`),
  ],
);

/**
 * The APIs that an application protects: what a client names as `resource`, what a token for it carries as
 * `aud`, and the scopes that mean something there. An identifier belongs to one application. @see RFC 8707 §2
 */
export const resources = appsSchema.table(
  'resources',
  {
    identifier: text('identifier').primaryKey(),
    applicationId: uuid('application_id')
      .notNull()
      .references(() => applications.id, { onDelete: 'cascade' }),
    scopes: text('scopes').array().notNull().default([]),
    createdAt: at('created_at').notNull(),
  },
  (table) => [index('resources_application_idx').on(table.applicationId)],
);

/**
 * Applications that may call an API in their own name, and exchange tokens of people for tokens for it,
 * besides the one that protects it. That one lets them, so the leave ends when it lets go of the API.
 * @see RFC 8693 §4.1
 */
export const resourceClients = appsSchema.table(
  'resource_clients',
  {
    resource: text('resource')
      .notNull()
      .references(() => resources.identifier, { onDelete: 'cascade' }),
    clientId: text('client_id')
      .notNull()
      .references(() => applications.clientId, { onDelete: 'cascade' }),
    createdAt: at('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.resource, table.clientId] }),
    index('resource_clients_client_idx').on(table.clientId),
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

/**
 * Requests for access to a closed application; one open request per user and application. `announced_at` is
 * when its administrators were told by mail.
 */
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
    status: text('status', { enum: ['pending', 'approved', 'denied', 'withdrawn'] })
      .notNull()
      .default('pending'),
    decidedBy: uuid('decided_by').references(() => users.id, { onDelete: 'set null' }),
    decidedReason: text('decided_reason'),
    grantedRole: text('granted_role'),
    announcedAt: at('announced_at'),
    decidedAt: at('decided_at'),
    createdAt: at('created_at').notNull(),
  },
  (table) => [
    uniqueIndex('access_requests_open_key')
      .on(table.applicationId, table.userId)
      .where(sql`${table.status} = 'pending'`),
    index('access_requests_user_idx').on(table.userId),
    index('access_requests_created_idx').on(table.createdAt),
    index('access_requests_decided_by_idx').on(table.decidedBy),
    check(
      'access_requests_status_check',
      sql`${table.status} in ('pending', 'approved', 'denied', 'withdrawn')`,
    ),
  ],
);

/** How often a person signed in to an application on a day (UTC), for its statistics; kept for 35 days. */
export const signIns = appsSchema.table(
  'sign_ins',
  {
    applicationId: uuid('application_id')
      .notNull()
      .references(() => applications.id, { onDelete: 'cascade' }),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    day: date('day').notNull(),
    count: integer('count').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.applicationId, table.day, table.userId] }),
    index('sign_ins_user_idx').on(table.userId),
    check('sign_ins_count_check', sql`${table.count} > 0`),
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
    /** Claims that were asked for one by one. @see OpenID Connect Core 1.0 §5.5 */
    claims: text('claims').array().notNull().default([]),
    authorizationDetails: jsonb('authorization_details').$type<AuthorizationDetail[]>().notNull().default([]),
    createdAt: at('created_at').notNull(),
    updatedAt: at('updated_at').notNull(),
    lastUsedAt: at('last_used_at'),
    revokedAt: at('revoked_at'),
  },
  (table) => [
    index('grants_user_idx').on(table.userId),
    unique('grants_application_user_key').on(table.applicationId, table.userId),
  ],
);
