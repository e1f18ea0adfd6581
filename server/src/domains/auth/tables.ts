import { sql } from 'drizzle-orm';
import { customType, index, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { at, authSchema } from '../../db/columns.ts';
import { users } from '../users/tables.ts';

/** Raw bytes (`bytea`): digests of secrets, sealed secrets. */
const bytes = customType<{ data: Buffer }>({ dataType: () => 'bytea' });

/** A signed-in device. Its access tokens name it as `sid`; it lives until `expires_at`, or until it is revoked. */
export const sessions = authSchema.table(
  'sessions',
  {
    id: uuid('id').primaryKey(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    deviceId: text('device_id'),
    deviceName: text('device_name'),
    userAgent: text('user_agent'),
    ipAddress: text('ip_address'),
    /** SHA-256 of the sign-in cookie that sibling apps exchange at `/session-to-token`. */
    cookieHash: bytes('cookie_hash'),
    createdAt: at('created_at').notNull(),
    lastUsedAt: at('last_used_at').notNull(),
    expiresAt: at('expires_at').notNull(),
    revokedAt: at('revoked_at'),
    revokedReason: text('revoked_reason'),
  },
  (table) => [
    index('sessions_user_idx').on(table.userId, table.lastUsedAt),
    uniqueIndex('sessions_cookie_hash_key')
      .on(table.cookieHash)
      .where(sql`${table.cookieHash} is not null`),
  ],
);
