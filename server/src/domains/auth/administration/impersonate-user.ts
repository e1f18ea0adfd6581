import { and, eq, gt, isNull } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { firstPartyClientId, firstPartyScope } from '../../../lib/first-party.ts';
import { newId } from '../../../lib/ids.ts';
import { recordAuditEvent, type RequestOrigin } from '../../audit/index.ts';
import { toUserObject, type User, type UserObject } from '../../users/index.ts';
import { readAvailable } from '../read-available.ts';
import { recordSecurityEvent } from '../record-security-event.ts';
import { sessions } from '../tables.ts';
import { lockBoth } from './lock-both.ts';

export type Impersonation = {
  user: UserObject;
  accessToken: string;
  tokenType: 'Bearer';
  expiresIn: number;
  sessionId: string;
};

const lifetimeSeconds = 900;

/**
 * Lets an administrator see the service as a person does, for a quarter of an hour: an access token with the
 * claim `act`, on a session that the person sees and can end, without refresh token or sign-in cookie. By it
 * one reads and changes nothing (see `authenticate`). It ends when either of them changes their role or
 * activity, and when a session of the administrator does. Administrators cannot be impersonated. It stands
 * in the audit trail with its reason, and in the trail of the person. Throws `auth.session_ended`,
 * `auth.admin_required`, `request.not_found`, `users.impersonation_refused`.
 * @see RFC 8693 §4.1
 */
export async function impersonateUser(
  ctx: Ctx,
  caller: Caller,
  { userId, reason }: { userId: string; reason: string },
  origin: RequestOrigin,
): Promise<Impersonation> {
  const now = ctx.clock.now();
  const sessionId = newId(ctx);
  const expiresAt = new Date(now.getTime() + lifetimeSeconds * 1000);
  const user = await ctx.db.asAdministrator(caller, async (tx) => {
    const person = await lockBoth(tx, caller, userId);
    await holdSession(tx, caller, now);
    if (person.role === 'admin' || !person.isActive) throw new AppError('users.impersonation_refused');
    await tx.insert(sessions).values({
      id: sessionId,
      userId,
      deviceName: 'Administrator',
      createdAt: now,
      lastUsedAt: now,
      expiresAt,
      impersonatorId: caller.userId,
    });
    const actor = { type: 'user' as const, id: caller.userId };
    const target = { type: 'user', id: userId };
    const event = { action: 'user.impersonated' as const, actor, target, reason, details: { sessionId } };
    await recordAuditEvent(ctx, tx, event, origin);
    const details = { reason, until: expiresAt.toISOString() };
    await recordSecurityEvent(ctx, tx, { type: 'impersonation.started', userId, sessionId, details }, null);
    return person;
  });
  const available = await readAvailable(ctx, { userId, sessionId });
  const accessToken = await signToken(ctx, user, { sessionId, impersonatorId: caller.userId });
  return {
    user: toUserObject(user, available),
    accessToken,
    tokenType: 'Bearer',
    expiresIn: lifetimeSeconds,
    sessionId,
  };
}

/** So that the session of the administrator does not end unseen meanwhile. Throws `auth.session_ended`. */
async function holdSession(tx: Tx, { sessionId }: Caller, now: Date): Promise<void> {
  const isLiving = and(eq(sessions.id, sessionId), isNull(sessions.revokedAt), gt(sessions.expiresAt, now));
  const [held] = await tx.select({ id: sessions.id }).from(sessions).where(isLiving).for('share');
  if (!held) throw new AppError('auth.session_ended');
}

function signToken(
  ctx: Ctx,
  { id, email, role }: User,
  { sessionId, impersonatorId }: { sessionId: string; impersonatorId: string },
): Promise<string> {
  const issuedAt = Math.floor(ctx.clock.now().getTime() / 1000);
  return ctx.keys.sign({
    iss: ctx.config.jwtIssuer,
    sub: id,
    aud: ctx.config.jwtAudience,
    iat: issuedAt,
    exp: issuedAt + lifetimeSeconds,
    jti: newId(ctx),
    sid: sessionId,
    email,
    role,
    client_id: firstPartyClientId,
    scope: firstPartyScope,
    act: { sub: impersonatorId },
  });
}
