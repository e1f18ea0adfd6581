import { and, eq, lt } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import { later, type Tx } from '../../db/index.ts';
import { newId } from '../../lib/ids.ts';
import { hashOpaqueToken, newOpaqueToken } from '../../lib/secrets.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { noteSignIn } from './note-sign-in.ts';
import type { AuthenticationMethod } from './sign-in/acr-of.ts';
import { refreshTokens, sessions } from './tables.ts';

export type Device = { deviceId?: string | undefined; deviceName?: string | undefined };

/** Who opens it, and how they have shown who they are: now, or, when they go on in a new session, before. */
type OpeningSession = { userId: string; amr: AuthenticationMethod[]; authenticatedAt?: Date | null };

/** A session just opened, with the two secrets that are known only now: the database keeps their hashes. */
export type OpenedSession = { id: string; expiresAt: Date; refreshToken: string; cookie: string };

/**
 * Opens a session with a new id, its sign-in cookie and its first refresh token. All of it dies at
 * `expiresAt`, whatever is refreshed in between. The owner is told when the device is new to them. `tx` is
 * the service's.
 */
export async function openSession(
  ctx: Ctx,
  tx: Tx,
  { userId, amr, authenticatedAt = null }: OpeningSession,
  device: Device,
  origin: RequestOrigin,
): Promise<OpenedSession> {
  const now = ctx.clock.now();
  const id = newId(ctx);
  const expiresAt = new Date(now.getTime() + ctx.config.refreshTokenTtlSeconds * 1000);
  const cookie = newOpaqueToken(ctx.random);
  await forgetOldSessions(ctx, tx, userId);
  await later(tx)
    .insert(sessions)
    .values({
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
  await noteSignIn(ctx, tx, { userId, sessionId: id, device }, origin);
  const refreshToken = await addRefreshToken(ctx, tx, { id, userId, expiresAt });
  return { id, expiresAt, refreshToken, cookie };
}

/**
 * Spent tokens are kept as long as their session, so that a stolen one is recognised; then they only take
 * room.
 */
async function forgetOldSessions(ctx: Ctx, tx: Tx, userId: string): Promise<void> {
  const before = new Date(ctx.clock.now().getTime() - ctx.config.sessionsRetentionSeconds * 1000);
  await later(tx)
    .delete(sessions)
    .where(and(eq(sessions.userId, userId), lt(sessions.expiresAt, before)));
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
    .values({
      id: newId(ctx),
      sessionId: session.id,
      userId: session.userId,
      tokenHash: hashOpaqueToken(token),
      createdAt: ctx.clock.now(),
      expiresAt: session.expiresAt,
    });
  return token;
}
