import { and, eq, isNull } from 'drizzle-orm';
import { errors } from 'oidc-provider';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { recordSignIn } from '../../applications/index.ts';
import { currentExchange } from '../exchange.ts';
import { authorizationCodes, authorizations } from '../tables.ts';
import { findLiveAuthorization, letOutliveSession } from './authorization.ts';
import { revokeTokens } from './revoke-tokens.ts';
import { fromSource, toSource, withoutNulls } from './source.ts';
import { digestOf, fromSeconds, toSeconds, type Payload, type Store } from './to-adapter.ts';

/** Authorization codes: single use. @see RFC 6749 §4.1.2, RFC 9700 §2.1.1 */
export function createAuthorizationCodeStore(ctx: Ctx): Store {
  return {
    save: (tx, code, payload) => saveCode(ctx, tx, code, payload),
    async find(tx, code) {
      const codeHash = digestOf(code);
      const isThis = eq(authorizationCodes.codeHash, codeHash);
      const [hint] = await tx
        .select({ authorizationId: authorizationCodes.authorizationId })
        .from(authorizationCodes)
        .where(isThis);
      const authorization = hint && (await findLiveAuthorization(ctx, tx, hint.authorizationId));
      if (!authorization) return undefined;
      // Read after the lock: another request may have spent it meanwhile.
      const [row] = await tx.select().from(authorizationCodes).where(isThis);
      if (!row) return undefined;
      const exchange = currentExchange();
      if (exchange && row.consumedAt) exchange.endReason = 'code_reused';
      return {
        ...fromSource(row),
        ...withoutNulls({
          jti: code,
          kind: 'AuthorizationCode',
          iat: toSeconds(row.createdAt),
          exp: toSeconds(row.expiresAt),
          consumed: row.consumedAt && toSeconds(row.consumedAt),
          accountId: authorization.userId,
          clientId: authorization.clientId,
          grantId: authorization.id,
          sid: authorization.id,
          redirectUri: row.redirectUri,
          codeChallenge: row.codeChallenge,
          codeChallengeMethod: row.codeChallenge && 'S256',
          dpopJkt: row.dpopThumbprint,
        }),
      };
    },
    async consume(tx, code) {
      const [spent] = await tx
        .update(authorizationCodes)
        .set({ consumedAt: ctx.clock.now() })
        .where(and(eq(authorizationCodes.codeHash, digestOf(code)), isNull(authorizationCodes.consumedAt)))
        .returning({ codeHash: authorizationCodes.codeHash });
      if (!spent) throw new errors.InvalidGrant('authorization code already consumed');
    },
    revokeByGrantId: revokeTokens(ctx),
  };
}

async function saveCode(ctx: Ctx, tx: Tx, code: string, payload: Payload): Promise<void> {
  const authorizationId = payload.grantId ?? '';
  if (payload.expiresWithSession !== true) await letOutliveSession(tx, authorizationId);
  await tx.insert(authorizationCodes).values({
    codeHash: digestOf(code),
    authorizationId,
    redirectUri: payload.redirectUri ?? '',
    codeChallenge: payload.codeChallenge ?? null,
    isJsonFlow: currentExchange()?.endpoint === 'json-flow',
    dpopThumbprint: payload.dpopJkt ?? null,
    ...toSource(payload),
    createdAt: fromSeconds(payload.iat ?? 0),
    expiresAt: fromSeconds(payload.exp ?? 0),
  });
  await countSignIn(ctx, tx, authorizationId);
}

/** A code is a sign-in to its application, whether or not a page was shown. */
async function countSignIn(ctx: Ctx, tx: Tx, authorizationId: string): Promise<void> {
  const { applicationId, userId, id } = authorizations;
  const [owner] = await tx
    .select({ applicationId, userId })
    .from(authorizations)
    .where(eq(id, authorizationId));
  if (owner) await recordSignIn(ctx, tx, owner);
}
