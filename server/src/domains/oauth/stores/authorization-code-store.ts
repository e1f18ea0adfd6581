import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { readDocument, writeDocument } from '../../../db/documents.ts';
import { later, type Tx } from '../../../db/index.ts';
import { recordSignIn } from '../../applications/index.ts';
import { currentExchange } from '../exchange.ts';
import type { SourceDocument } from '../known.ts';
import { authorizationCodes } from '../tables.ts';
import { learnAuthorization, letOutliveSession } from './authorization.ts';
import { revokeTokens } from './revoke-tokens.ts';
import { fromSource, toSource, withoutNulls } from './source.ts';
import { digestOf, fromSeconds, toSeconds, type Payload, type Store } from './to-adapter.ts';

/** Authorization codes: single use. @see RFC 6749 §4.1.2, RFC 9700 §2.1.1 */
export function createAuthorizationCodeStore(ctx: Ctx): Store {
  return {
    save: (tx, code, payload) => saveCode(ctx, tx, code, payload),
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
    async consume(tx, code) {
      await later(tx).execute(sql`select oauth.spend_code(${digestOf(code)}, ${ctx.clock.now()})`);
    },
    revokeByGrantId: revokeTokens(ctx),
  };
}

async function saveCode(ctx: Ctx, tx: Tx, code: string, payload: Payload): Promise<void> {
  const authorizationId = payload.grantId ?? '';
  if (payload.expiresWithSession !== true) await letOutliveSession(later(tx), authorizationId);
  const row = writeDocument(authorizationCodes, {
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
  await later(tx).execute(sql`select oauth.save_code(${row})`);
  // A code is a sign-in to its application, whether or not a page was shown.
  const owner = currentExchange()?.known.authorization;
  if (owner) await recordSignIn(ctx, later(tx), owner);
}

async function openCode(ctx: Ctx, tx: Tx, hash: Buffer): Promise<SourceDocument | null | undefined> {
  const exchange = currentExchange();
  const known = exchange?.known.source;
  if (known?.hash.equals(hash)) return known.document;
  const { rows } = await tx.execute<{ document: SourceDocument | null }>(sql`
    select oauth.open_code(${hash}, ${exchange?.locks ?? false}, ${ctx.clock.now()}) as document`);
  return rows[0]?.document;
}
