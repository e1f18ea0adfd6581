import { sql, type SQL } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import { writeDocument } from '../../db/documents.ts';
import { later, type Tx } from '../../db/index.ts';
import { newId } from '../../lib/ids.ts';
import { hashOpaqueToken, newOpaqueToken } from '../../lib/secrets.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { burstMs, deviceHashes, tellOfSignIn, type NotedSignIn } from './tell-of-sign-in.ts';
import type { AuthenticationMethod } from './sign-in/acr-of.ts';
import { refreshTokens, sessions } from './tables.ts';

export type Device = { deviceId?: string | undefined; deviceName?: string | undefined };

/** Who opens it, and how they have shown who they are: now, or, when they go on in a new session, before. */
export type OpeningSession = { userId: string; amr: AuthenticationMethod[]; authenticatedAt?: Date | null };

/** A session just opened, with the two secrets that are known only now: the database keeps their hashes. */
export type OpenedSession = { id: string; expiresAt: Date; refreshToken: string; cookie: string };

/** A session that is about to be opened: what its owner is given, and what `auth.open_session` takes. */
export type PreparedSession = OpenedSession & { userId: string; device: Device; rows: SessionRows };

/** Session and first token as documents, by what the device is known again, and since when is lately. */
export type SessionRows = { session: string; firstToken: string; devices: Buffer[]; burstSince: string };

/** These as the arguments of `auth.open_session`. */
export function valuesOf({ session, firstToken, devices, burstSince }: SessionRows): SQL {
  const hashes = sql.join(
    devices.map((hash) => sql`${hash}`),
    sql`, `,
  );
  return sql`${session}, ${firstToken}, array[${hashes}]::bytea[], ${burstSince}`;
}

/**
 * Opens a session with a new id, its sign-in cookie and its first refresh token. All of it dies at
 * `expiresAt`, whatever is refreshed in between. The owner is told when the device is new to them. `tx` is
 * the service's.
 */
export async function openSession(
  ctx: Ctx,
  tx: Tx,
  opening: OpeningSession,
  device: Device,
  origin: RequestOrigin,
): Promise<OpenedSession> {
  const prepared = prepareSession(ctx, opening, device, origin);
  const { rows } = await tx.execute<NotedSignIn>(sql`
    select email, device, failures, addresses from auth.open_session(${valuesOf(prepared.rows)})`);
  const [noted] = rows;
  if (!noted) throw new Error('auth.open_session returned no row');
  await tellOfSignIn(ctx, tx, prepared, noted, origin);
  return prepared;
}

/** Makes up a session and its secrets; nothing is stored. */
export function prepareSession(
  ctx: Ctx,
  { userId, amr, authenticatedAt = null }: OpeningSession,
  device: Device,
  origin: RequestOrigin,
): PreparedSession {
  const now = ctx.clock.now();
  const id = newId(ctx);
  const expiresAt = new Date(now.getTime() + ctx.config.refreshTokenTtlSeconds * 1000);
  const [cookie, refreshToken] = [newOpaqueToken(ctx.random), newOpaqueToken(ctx.random)];
  const session = writeDocument(sessions, {
    id,
    userId,
    deviceId: device.deviceId ?? null,
    deviceName: device.deviceName ?? null,
    userAgent: origin.userAgent,
    ipAddress: origin.ipAddress,
    cookieHash: hashOpaqueToken(cookie),
    amr,
    authenticatedAt,
    createdAt: now,
    lastUsedAt: now,
    expiresAt,
  });
  const firstToken = writeDocument(refreshTokens, tokenRow(ctx, { id, userId, expiresAt }, refreshToken));
  const devices = deviceHashes(ctx, device, origin);
  const burstSince = new Date(now.getTime() - burstMs).toISOString();
  const rows = { session, firstToken, devices, burstSince };
  return { id, userId, device, expiresAt, refreshToken, cookie, rows };
}

/** Adds a refresh token to a living session that the transaction holds the lock of. Returns the token. */
export async function addRefreshToken(
  ctx: Ctx,
  tx: Tx,
  session: { id: string; userId: string; expiresAt: Date },
): Promise<string> {
  const token = newOpaqueToken(ctx.random);
  await later(tx)
    .insert(refreshTokens)
    .values(tokenRow(ctx, session, token));
  return token;
}

function tokenRow(
  ctx: Ctx,
  { id, userId, expiresAt }: { id: string; userId: string; expiresAt: Date },
  token: string,
): typeof refreshTokens.$inferInsert {
  return {
    id: newId(ctx),
    sessionId: id,
    userId,
    tokenHash: hashOpaqueToken(token),
    createdAt: ctx.clock.now(),
    expiresAt,
  };
}
