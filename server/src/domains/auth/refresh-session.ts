import { sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { newId } from '../../lib/ids.ts';
import { hashOpaqueToken, newOpaqueToken } from '../../lib/secrets.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { readUser } from '../users/index.ts';
import { issueTokens } from './issue-tokens.ts';
import { recordSecurityEvent } from './record-security-event.ts';
import { recordSuspicion } from './record-suspicion.ts';
import type { Tokens } from './schemas.ts';

/** What became of a refresh token; see auth.rotate_refresh_token. */
type Rotation = {
  outcome: 'rotated' | 'invalid' | 'superseded' | 'reused';
  user_id: string;
  session_id: string;
  session_expires_at: Date;
  amr: string[];
  authenticated_at: Date;
};

/**
 * Exchanges a refresh token for a new pair and spends it in the same statement. A second use within
 * REFRESH_REUSE_WINDOW_SECONDS is refused and changes nothing; a later one is taken for theft and ends the
 * session with every token of it. Throws `auth.refresh_invalid`, `auth.refresh_superseded`,
 * `auth.refresh_reused`.
 * @see RFC 9700 §4.14.2
 */
export async function refreshSession(ctx: Ctx, refreshToken: string, origin: RequestOrigin): Promise<Tokens> {
  const next = newOpaqueToken(ctx.random);
  const result = await ctx.db.asService(async (tx) => {
    const rotation = await rotate(ctx, tx, refreshToken, next);
    if (rotation.outcome === 'reused') {
      const { user_id: userId, session_id: sessionId } = rotation;
      await recordSecurityEvent(ctx, tx, { type: 'refresh.reused', userId, sessionId }, origin);
      const { email } = await readUser(tx, userId);
      await recordSuspicion(ctx, tx, { userId, email, sessionId, kind: 'refresh_reused' }, origin);
    }
    if (rotation.outcome !== 'rotated') return { outcome: rotation.outcome };
    return { outcome: rotation.outcome, rotation, user: await readUser(tx, rotation.user_id) };
  });
  if (result.outcome !== 'rotated') throw new AppError(`auth.refresh_${result.outcome}`);
  const { session_id: id, session_expires_at: expiresAt, amr, authenticated_at: time } = result.rotation;
  const session = { id, expiresAt: new Date(expiresAt), amr, authenticatedAt: new Date(time) };
  return issueTokens(ctx, result.user, { ...session, refreshToken: next });
}

async function rotate(ctx: Ctx, tx: Tx, given: string, next: string): Promise<Rotation> {
  const { rows } = await tx.execute<Rotation>(sql`
    select r.outcome, r.user_id, r.session_id, r.session_expires_at, s.amr,
           coalesce(s.authenticated_at, s.created_at) as authenticated_at
      from auth.rotate_refresh_token(
             ${hashOpaqueToken(given)}, ${newId(ctx)}, ${hashOpaqueToken(next)},
             ${ctx.clock.now().toISOString()},
             make_interval(secs => ${ctx.config.refreshReuseWindowSeconds})) r
      left join auth.sessions s on s.id = r.session_id`);
  const [rotation] = rows;
  if (!rotation) throw new Error('auth.rotate_refresh_token returned no row');
  return rotation;
}
