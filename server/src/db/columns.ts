import { customType, pgSchema, timestamp } from 'drizzle-orm/pg-core';

/** The schemas of the database; each table in them is owned by one domain. */
export const authSchema = pgSchema('auth');
export const creditsSchema = pgSchema('credits');
export const appsSchema = pgSchema('apps');
export const paymentsSchema = pgSchema('payments');
export const auditSchema = pgSchema('audit');
export const webhooksSchema = pgSchema('webhooks');
export const oauthSchema = pgSchema('oauth');

/** A point in time, `timestamptz` with milliseconds, the precision JavaScript keeps. */
export const at = (name: string) => timestamp(name, { withTimezone: true, mode: 'date', precision: 3 });

/** Raw bytes (`bytea`): digests of secrets, sealed secrets. */
export const bytes = customType<{ data: Buffer }>({ dataType: () => 'bytea' });
