import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { readDocument } from '../../../db/documents.ts';
import { later, type Tx } from '../../../db/index.ts';
import { currentExchange, exchangeAtHand } from '../exchange.ts';
import type { SourceDocument } from '../known.ts';
import { authorizationCodes } from '../tables.ts';
import { learnAuthorization, letOutliveSession } from './authorization.ts';
import { revokeTokens } from './revoke-tokens.ts';
import { fromSource, toSource, withoutNulls } from './source.ts';
import { digestOf, fromSeconds, toSeconds, type Payload, type Store } from './to-adapter.ts';

/** Authorization codes: single use. @see RFC 6749 §4.1.2, RFC 9700 §2.1.1 */
export function createAuthorizationCodeStore(ctx: Ctx): Store {
  return {
    save: (tx, code, payload) => saveCode(tx, code, payload),
    async find(tx, code) {
      const opened = await openCode(ctx, tx, digestOf(code));
      const authorization = learnAuthorization(opened?.authorization);
      if (!opened || !authorization) return undefined;
      const row = readDocument(authorizationCodes, opened.row);
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
    async consume(_tx, code) {
      exchangeAtHand().deeds.spentCode = digestOf(code);
    },
    revokeByGrantId: revokeTokens(ctx),
  };
}

/** A code is a sign-in to its application, whether or not a page was shown. */
async function saveCode(tx: Tx, code: string, payload: Payload): Promise<void> {
  const { deeds, endpoint, known } = exchangeAtHand();
  const authorizationId = payload.grantId ?? '';
  const outlivesSession = known.authorization?.id === authorizationId && known.authorization.outlivesSession;
  if (payload.expiresWithSession !== true && !outlivesSession)
    await letOutliveSession(later(tx), authorizationId);
  deeds.authorizationId = authorizationId;
  deeds.isSignIn = true;
  deeds.codes.push({
    codeHash: digestOf(code),
    authorizationId,
    redirectUri: payload.redirectUri ?? '',
    codeChallenge: payload.codeChallenge ?? null,
    isJsonFlow: endpoint === 'json-flow',
    dpopThumbprint: payload.dpopJkt ?? null,
    ...toSource(payload),
    createdAt: fromSeconds(payload.iat ?? 0),
    expiresAt: fromSeconds(payload.exp ?? 0),
  });
}

async function openCode(ctx: Ctx, tx: Tx, hash: Buffer): Promise<SourceDocument | null | undefined> {
  const exchange = currentExchange();
  const known = exchange?.known.source;
  if (known?.hash.equals(hash)) return known.document;
  const { rows } = await tx.execute<{ document: SourceDocument | null }>(sql`
    select oauth.open_code(${hash}, ${exchange?.locks ?? false}, ${ctx.clock.now()}) as document`);
  return rows[0]?.document;
}
