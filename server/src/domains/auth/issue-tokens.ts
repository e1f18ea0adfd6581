import type { Ctx } from '../../ctx.ts';
import { firstPartyClientId, firstPartyScope } from '../../lib/first-party.ts';
import { newId } from '../../lib/ids.ts';
import { toUserObject, type User } from '../users/index.ts';
import { readAvailable } from './read-available.ts';
import type { Tokens } from './schemas.ts';
import { acrOf } from './sign-in/acr-of.ts';

/** A living session and the refresh token that was just made for it. */
export type SessionTokens = {
  id: string;
  expiresAt: Date;
  refreshToken: string;
  /** How the person showed last that it is them, and when. */
  amr: readonly string[];
  authenticatedAt: Date;
};

/**
 * The answer to a sign-in, once its session is committed: a signed access token that dies no later than the
 * session, and the refresh token beside it. Throws `auth.session_ended` when the session was revoked
 * meanwhile.
 * @see RFC 9068 §2.2, §2.2.1
 */
export async function issueTokens(ctx: Ctx, user: User, session: SessionTokens): Promise<Tokens> {
  const { config } = ctx;
  const available = await readAvailable(ctx, { userId: user.id, sessionId: session.id });
  const issuedAt = Math.floor(ctx.clock.now().getTime() / 1000);
  const sessionEndsAt = Math.floor(session.expiresAt.getTime() / 1000);
  const expiresAt = Math.min(issuedAt + config.accessTokenTtlSeconds, sessionEndsAt);
  const accessToken = await ctx.keys.sign({
    iss: config.jwtIssuer,
    sub: user.id,
    aud: config.jwtAudience,
    iat: issuedAt,
    exp: expiresAt,
    jti: newId(ctx),
    sid: session.id,
    email: user.email,
    role: user.role,
    client_id: firstPartyClientId,
    scope: firstPartyScope,
    acr: acrOf(session.amr),
    amr: session.amr,
    auth_time: Math.floor(session.authenticatedAt.getTime() / 1000),
  });
  return {
    user: toUserObject(user, available),
    accessToken,
    refreshToken: session.refreshToken,
    expiresIn: expiresAt - issuedAt,
    tokenType: 'Bearer',
    token: accessToken,
  };
}
