import { eq, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { currentExchange, exchangeAtHand } from '../exchange.ts';
import { readRoles } from '../read-roles.ts';
import { accessTokens } from '../tables.ts';
import { findLiveAuthorization } from './authorization.ts';
import { revokeTokens } from './revoke-tokens.ts';
import { withoutNulls } from './source.ts';
import { digestOf, fromSeconds, toSeconds, type Payload, type Store } from './to-adapter.ts';

type Row = typeof accessTokens.$inferSelect;

/** An access token as it is issued; `jti` is what it is found by. */
export type IssuedToken = {
  jti: string;
  authorizationId: string | null;
  applicationId: string;
  scope: string | null;
  audience: string;
  claims: Record<string, unknown> | null;
  authorizationDetails: Record<string, unknown>[] | null;
  grantTypes: string | null;
  dpopThumbprint: string | null;
  issuedAtSeconds: number;
  expiresAtSeconds: number;
};

/** Writes down a token that is about to be signed, so that it can be introspected and revoked. */
export function recordAccessToken(issued: IssuedToken): void {
  const { jti, issuedAtSeconds, expiresAtSeconds, ...rest } = issued;
  const { deeds } = exchangeAtHand();
  if (issued.authorizationId !== null) deeds.authorizationId = issued.authorizationId;
  deeds.accessTokens.push({
    ...rest,
    jtiHash: digestOf(jti),
    createdAt: fromSeconds(issuedAtSeconds),
    expiresAt: fromSeconds(expiresAtSeconds),
  });
}

/**
 * Access tokens. They are JWTs, which the library neither finds nor ends: here they are found by their
 * `jti` once their signature is verified, and count only as long as their authorization lives. `kind` says
 * whose they are: a person's (`AccessToken`) or an application's own (`ClientCredentials`).
 */
export function createAccessTokenStore(ctx: Ctx, kind: 'AccessToken' | 'ClientCredentials'): Store {
  return {
    async find(tx, presented) {
      const jti = await verifiedJti(ctx, presented);
      if (jti === undefined) return undefined;
      const [row] = await tx
        .select()
        .from(accessTokens)
        .where(eq(accessTokens.jtiHash, digestOf(jti)));
      if (!row || row.revokedAt || (row.authorizationId === null) !== (kind === 'ClientCredentials'))
        return undefined;
      const owner = row.authorizationId
        ? await ownerOf(ctx, tx, row.authorizationId, row.applicationId)
        : await applicationOf(tx, row.applicationId);
      return owner && { ...toPayload(ctx, jti, kind, row), ...owner };
    },
    async destroy(tx, jti) {
      await tx
        .update(accessTokens)
        .set({ revokedAt: ctx.clock.now() })
        .where(eq(accessTokens.jtiHash, digestOf(jti)));
    },
    revokeByGrantId: revokeTokens(ctx),
  };
}

/** A bare `jti` opens nothing unless this request has verified the token it stands for. */
async function verifiedJti(ctx: Ctx, presented: string): Promise<string | undefined> {
  const exchange = currentExchange();
  if (exchange?.verifiedJti === presented) return presented;
  return verifyPresentedToken(ctx, presented);
}

/** The `jti` of a token that we have signed and that has not expired, for whichever API it is. */
export async function verifyPresentedToken(ctx: Ctx, token: string): Promise<string | undefined> {
  try {
    return (await ctx.keys.verifyIssuedToken(token)).jti;
  } catch (error) {
    if (error instanceof AppError && error.status === 401) return undefined;
    throw error;
  }
}

/**
 * Whose a token is, as things stand. One that another application exchanged for it hangs on the same
 * authorization, but belongs to that application.
 */
async function ownerOf(
  ctx: Ctx,
  tx: Tx,
  authorizationId: string,
  applicationId: string,
): Promise<Payload | undefined> {
  const authorization = await findLiveAuthorization(ctx, tx, authorizationId);
  if (!authorization) return undefined;
  const { id, userId, clientId } = authorization;
  if (authorization.applicationId !== applicationId) {
    const actor = await applicationOf(tx, applicationId);
    return actor && { ...actor, accountId: userId, sid: id, extra: { act: { sub: actor.clientId } } };
  }
  const roles = await readRoles(tx, applicationId, userId);
  return roles && { accountId: userId, clientId, grantId: id, sid: id, extra: { ...roles } };
}

async function applicationOf(tx: Tx, applicationId: string): Promise<Payload | undefined> {
  const { rows } = await tx.execute<{ clientId: string }>(sql`
    select client_id as "clientId" from apps.applications where id = ${applicationId} and is_active`);
  return rows[0];
}

/**
 * The page about oneself takes a token for this service, which the library would only take without
 * audience; one for another API keeps its own, and is refused there. @see RFC 9068 §4
 */
function toPayload({ config }: Ctx, jti: string, kind: string, row: Row): Payload {
  const isForUserinfo = currentExchange()?.endpoint === 'userinfo' && row.audience === config.jwtAudience;
  return withoutNulls({
    jti,
    kind,
    iat: toSeconds(row.createdAt),
    exp: toSeconds(row.expiresAt),
    scope: row.scope,
    aud: isForUserinfo ? null : row.audience,
    claims: row.claims,
    rar: row.authorizationDetails,
    gty: row.grantTypes,
    jkt: row.dpopThumbprint,
  });
}
