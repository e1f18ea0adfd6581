import { eq, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { firstPartyClientId } from '../../../lib/first-party.ts';
import type { IssuedTokenClaims } from '../../auth/index.ts';
import { currentExchange } from '../exchange.ts';
import { readRoles } from '../read-roles.ts';
import { accessTokens } from '../tables.ts';
import { findLiveAuthorization } from './authorization.ts';
import { revokeTokens } from './revoke-tokens.ts';
import { withoutNulls } from './source.ts';
import { digestOf, fromSeconds, type Payload, type Store } from './to-adapter.ts';

type Row = typeof accessTokens.$inferInsert;

/**
 * Access tokens. They are JWTs, which the library neither finds nor ends: here they are read once their
 * signature is verified, and count only as long as their authorization lives. A row is there only of those
 * that were revoked, or that stand for more than they say. `kind` says whose they are: a person's
 * (`AccessToken`) or an application's own (`ClientCredentials`).
 */
export function createAccessTokenStore(ctx: Ctx, kind: 'AccessToken' | 'ClientCredentials'): Store {
  return {
    async find(tx, presented) {
      const token = await verifiedToken(ctx, presented);
      if (!token || kindOf(token) !== kind) return undefined;
      const { revokedAt, claims } = accessTokens;
      const [row] = await tx
        .select({ revokedAt, claims })
        .from(accessTokens)
        .where(eq(accessTokens.jtiHash, digestOf(token.jti)));
      if (row?.revokedAt) return undefined;
      const owner = await ownerOf(ctx, tx, token);
      return owner && { ...toPayload(ctx, kind, token), ...withoutNulls({ claims: row?.claims }), ...owner };
    },
    async destroy(tx, jti) {
      const token = currentExchange()?.verifiedToken;
      if (token?.jti !== jti) throw new Error('an access token is revoked that was not verified');
      const application = await findActiveApplication(tx, token.client_id);
      const revokedAt = ctx.clock.now();
      if (!application) return;
      await tx
        .insert(accessTokens)
        .values({ ...toRow(token, application.id), revokedAt })
        .onConflictDoUpdate({ target: accessTokens.jtiHash, set: { revokedAt } });
    },
    revokeByGrantId: revokeTokens(ctx),
  };
}

/** A person's token belongs to an authorization, an application's own to none; others are not of OAuth. */
function kindOf({ client_id: clientId, sid }: IssuedTokenClaims): string | undefined {
  if (clientId === firstPartyClientId) return undefined;
  return sid === undefined ? 'ClientCredentials' : 'AccessToken';
}

/** What is written down of a token of this application. */
export function toRow({ jti, sid, aud, iat, exp }: WrittenClaims, applicationId: string): Row {
  return {
    jtiHash: digestOf(jti),
    authorizationId: sid ?? null,
    applicationId,
    audience: aud,
    createdAt: fromSeconds(iat),
    expiresAt: fromSeconds(exp),
  };
}

export type WrittenClaims = Pick<IssuedTokenClaims, 'jti' | 'sid' | 'aud' | 'iat' | 'exp'>;

/** A bare `jti` opens nothing unless this request has verified the token it stands for. */
async function verifiedToken(ctx: Ctx, presented: string): Promise<IssuedTokenClaims | undefined> {
  const known = currentExchange()?.verifiedToken;
  return known?.jti === presented ? known : verifyPresentedToken(ctx, presented);
}

/** What a token says that we have signed and that has not expired, for whichever API it is. */
export async function verifyPresentedToken(ctx: Ctx, token: string): Promise<IssuedTokenClaims | undefined> {
  try {
    return await ctx.keys.verifyIssuedToken(token);
  } catch (error) {
    if (error instanceof AppError && error.status === 401) return undefined;
    throw error;
  }
}

/**
 * Whose a token is, as things stand. One that another application exchanged for it hangs on the same
 * authorization, but belongs to that application.
 */
async function ownerOf(ctx: Ctx, tx: Tx, token: IssuedTokenClaims): Promise<Payload | undefined> {
  const { sid, client_id: clientId } = token;
  const authorization = sid === undefined ? undefined : await findLiveAuthorization(ctx, tx, sid);
  if (sid !== undefined && !authorization) return undefined;
  if (authorization?.clientId !== clientId) {
    const application = await findActiveApplication(tx, clientId);
    if (!application || !authorization) return application && { clientId };
    return { clientId, accountId: authorization.userId, sid, extra: { act: { sub: clientId } } };
  }
  const { id, userId, applicationId } = authorization;
  const roles = await readRoles(tx, applicationId, userId);
  return roles && { accountId: userId, clientId, grantId: id, sid: id, extra: { ...roles } };
}

async function findActiveApplication(tx: Tx, clientId: string): Promise<{ id: string } | undefined> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    select id from apps.applications where client_id = ${clientId} and is_active`);
  return rows[0];
}

/**
 * The page about oneself takes a token for this service, which the library would only take without
 * audience; one for another API keeps its own, and is refused there. @see RFC 9068 §4
 */
function toPayload({ config }: Ctx, kind: string, token: IssuedTokenClaims): Payload {
  const { jti, iat, exp, scope, aud, cnf } = token;
  const isForUserinfo = currentExchange()?.endpoint === 'userinfo' && aud === config.jwtAudience;
  return withoutNulls({
    jti,
    kind,
    iat,
    exp,
    scope,
    aud: isForUserinfo ? null : aud,
    rar: token.authorization_details,
    jkt: cnf?.jkt,
  });
}
