import { sql } from 'drizzle-orm';
import { errors } from 'oidc-provider';
import type { Ctx } from '../../../ctx.ts';
import { readDocument } from '../../../db/documents.ts';
import type { Tx } from '../../../db/index.ts';
import { newId } from '../../../lib/ids.ts';
import { createSealer, type Sealer } from '../../../lib/secrets.ts';
import { currentExchange, exchangeAtHand, type Exchange, type Rotation } from '../exchange.ts';
import type { SourceDocument } from '../known.ts';
import { refreshTokens } from '../tables.ts';
import { learnAuthorization, type LiveAuthorization } from './authorization.ts';
import { revokeTokens } from './revoke-tokens.ts';
import { fromSource, toSource, withoutNulls } from './source.ts';
import { digestOf, fromSeconds, toSeconds, type Payload, type Store } from './to-adapter.ts';

type Row = typeof refreshTokens.$inferSelect;

/**
 * Refresh tokens, each used once and followed by one other. The one just used opens the answer of its first
 * use again for REFRESH_REUSE_WINDOW_SECONDS, until its successor is used; everything else that was used
 * before is shown as consumed, upon which the library ends the authorization. @see RFC 9700 §4.14.2
 */
export function createRefreshTokenStore(ctx: Ctx): Store {
  const sealer = answerSealer(ctx);
  return {
    async save(_tx, token, payload) {
      const { deeds, rotation } = exchangeAtHand();
      const authorizationId = payload.grantId ?? '';
      deeds.authorizationId = authorizationId;
      deeds.refreshTokens.push({
        tokenHash: digestOf(token),
        familyId: rotation?.familyId ?? newId(ctx),
        authorizationId,
        previousHash: rotation?.isConsumed ? rotation.tokenHash : null,
        rotations: payload.rotations ?? 0,
        grantTypes: payload.gty ?? '',
        dpopThumbprint: payload.jkt ?? null,
        ...toSource(payload),
        familyCreatedAt: fromSeconds(payload.iiat ?? 0),
        createdAt: fromSeconds(payload.iat ?? 0),
        expiresAt: fromSeconds(payload.exp ?? 0),
      });
    },
    async find(tx, token) {
      const opened = await openToken(ctx, tx, digestOf(token));
      const authorization = learnAuthorization(opened?.authorization);
      if (!opened || !authorization) return undefined;
      const row = readDocument(refreshTokens, opened.row);
      const rotation = toRotation(ctx, sealer, row, opened.isFollowed === true);
      const exchange = currentExchange();
      if (exchange) exchange.rotation = rotation;
      if (exchange && row.consumedAt && !rotation.earlierAnswer) exchange.endReason = 'refresh_reused';
      return toPayload(token, row, authorization, rotation);
    },
    // It is spent with the answer that it is exchanged for, see spendRefreshToken, and not without one.
    async consume() {
      const exchange = currentExchange();
      const rotation = exchange?.rotation;
      if (exchange && rotation?.earlierAnswer) {
        // A refusal only in form: it ends the library's work after all its checks.
        exchange.isAnsweredEarlier = true;
        throw new errors.InvalidGrant('another request has just used it');
      }
      if (rotation) rotation.isConsumed = true;
    },
    // What it hangs on ends, see revokeByGrantId.
    async destroy() {},
    revokeByGrantId: revokeTokens(ctx),
  };
}

/**
 * Spends a refresh token, and keeps what it was exchanged for, for those that ask with the same one a moment
 * later.
 */
export function spendRefreshToken(ctx: Ctx, { deeds, rotation }: Exchange, answer: unknown): void {
  if (!rotation?.isConsumed) return;
  const { tokenHash: hash } = rotation;
  const isKept = ctx.config.refreshReuseWindowSeconds > 0;
  const sealedAnswer = isKept ? answerSealer(ctx).seal(JSON.stringify(answer), contextOf(hash)) : null;
  deeds.spentToken = { hash, sealedAnswer };
}

async function openToken(ctx: Ctx, tx: Tx, hash: Buffer): Promise<SourceDocument | null | undefined> {
  const exchange = currentExchange();
  const known = exchange?.known.source;
  if (known?.hash.equals(hash)) return known.document;
  const { rows } = await tx.execute<{ document: SourceDocument | null }>(sql`
    select oauth.open_refresh_token(${hash}, ${exchange?.locks ?? false}, ${ctx.clock.now()}) as document`);
  return rows[0]?.document;
}

/** What this token has become, if it was used before. */
function toRotation(ctx: Ctx, sealer: Sealer, row: Row, isFollowed: boolean): Rotation {
  const { tokenHash, familyId, consumedAt, sealedAnswer } = row;
  const rotation: Rotation = { tokenHash, familyId, isConsumed: false };
  if (!consumedAt || !sealedAnswer || !isFollowed) return rotation;
  const agoMs = ctx.clock.now().getTime() - consumedAt.getTime();
  if (agoMs >= ctx.config.refreshReuseWindowSeconds * 1000) return rotation;
  const earlierAnswer = JSON.parse(sealer.open(sealedAnswer, contextOf(tokenHash))) as Record<
    string,
    unknown
  >;
  return { ...rotation, earlierAnswer };
}

function toPayload(token: string, row: Row, authorization: LiveAuthorization, rotation: Rotation): Payload {
  const isReused = row.consumedAt !== null && !rotation.earlierAnswer;
  return {
    ...fromSource(row),
    ...withoutNulls({
      jti: token,
      kind: 'RefreshToken',
      iat: toSeconds(row.createdAt),
      exp: toSeconds(row.expiresAt),
      iiat: toSeconds(row.familyCreatedAt),
      consumed: isReused && row.consumedAt ? toSeconds(row.consumedAt) : null,
      rotations: row.rotations,
      gty: row.grantTypes,
      jkt: row.dpopThumbprint,
      accountId: authorization.userId,
      clientId: authorization.clientId,
      grantId: authorization.id,
      sid: authorization.id,
    }),
  };
}

/** Deriving a key takes a while. */
const sealers = new WeakMap<Ctx, Sealer>();

function answerSealer(ctx: Ctx): Sealer {
  const sealer = sealers.get(ctx) ?? createSealer(ctx.config.secret, 'refresh answers', ctx.random);
  sealers.set(ctx, sealer);
  return sealer;
}

function contextOf(tokenHash: Buffer): string {
  return tokenHash.toString('base64url');
}
