import { and, eq, isNull } from 'drizzle-orm';
import { errors } from 'oidc-provider';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { newId } from '../../../lib/ids.ts';
import { createSealer, type Sealer } from '../../../lib/secrets.ts';
import { currentExchange, type Rotation } from '../exchange.ts';
import { refreshTokens } from '../tables.ts';
import { findLiveAuthorization, type LiveAuthorization } from './authorization.ts';
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
  const { tokenHash, consumedAt } = refreshTokens;
  return {
    async save(tx, token, payload) {
      const rotation = currentExchange()?.rotation;
      await tx.insert(refreshTokens).values({
        tokenHash: digestOf(token),
        familyId: rotation?.familyId ?? newId(ctx),
        authorizationId: payload.grantId ?? '',
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
      const isThis = eq(tokenHash, digestOf(token));
      const [hint] = await tx
        .select({ authorizationId: refreshTokens.authorizationId })
        .from(refreshTokens)
        .where(isThis);
      const authorization = hint && (await findLiveAuthorization(ctx, tx, hint.authorizationId));
      if (!authorization) return undefined;
      const [row] = await tx.select().from(refreshTokens).where(isThis);
      if (!row) return undefined;
      const rotation = await toRotation(ctx, tx, sealer, row);
      const exchange = currentExchange();
      if (exchange) exchange.rotation = rotation;
      if (exchange && row.consumedAt && !rotation.earlierAnswer) exchange.endReason = 'refresh_reused';
      return toPayload(token, row, authorization, rotation);
    },
    async consume(tx, token) {
      const exchange = currentExchange();
      const rotation = exchange?.rotation;
      if (exchange && rotation?.earlierAnswer) {
        // A refusal only in form: it ends the library's work after all its checks.
        exchange.isAnsweredEarlier = true;
        throw new errors.InvalidGrant('another request has just used it');
      }
      const [spent] = await tx
        .update(refreshTokens)
        .set({ consumedAt: ctx.clock.now() })
        .where(and(eq(tokenHash, digestOf(token)), isNull(consumedAt)))
        .returning({ previousHash: refreshTokens.previousHash });
      if (!spent) throw new errors.InvalidGrant('refresh token already used');
      if (rotation) rotation.isConsumed = true;
      if (spent.previousHash) await forgetAnswer(tx, spent.previousHash);
    },
    // What it hangs on ends, see revokeByGrantId.
    async destroy() {},
    revokeByGrantId: revokeTokens(ctx),
  };
}

/** Keeps what a refresh token was exchanged for, for those that ask with the same one a moment later. */
export async function keepAnswer(ctx: Ctx, tx: Tx, rotation: Rotation, answer: unknown): Promise<void> {
  if (!rotation.isConsumed || ctx.config.refreshReuseWindowSeconds === 0) return;
  const sealedAnswer = answerSealer(ctx).seal(JSON.stringify(answer), contextOf(rotation.tokenHash));
  await tx.update(refreshTokens).set({ sealedAnswer }).where(eq(refreshTokens.tokenHash, rotation.tokenHash));
}

/** Once its successor is used, a token opens nothing any more. */
async function forgetAnswer(tx: Tx, tokenHash: Buffer): Promise<void> {
  await tx.update(refreshTokens).set({ sealedAnswer: null }).where(eq(refreshTokens.tokenHash, tokenHash));
}

/** What this token has become, if it was used before. */
async function toRotation(ctx: Ctx, tx: Tx, sealer: Sealer, row: Row): Promise<Rotation> {
  const { tokenHash, familyId, consumedAt, sealedAnswer } = row;
  const rotation: Rotation = { tokenHash, familyId, isConsumed: false };
  if (!consumedAt || !sealedAnswer) return rotation;
  const agoMs = ctx.clock.now().getTime() - consumedAt.getTime();
  if (agoMs >= ctx.config.refreshReuseWindowSeconds * 1000) return rotation;
  const [successor] = await tx
    .select({ consumedAt: refreshTokens.consumedAt })
    .from(refreshTokens)
    .where(eq(refreshTokens.previousHash, tokenHash));
  if (!successor || successor.consumedAt) return rotation;
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

function answerSealer({ config, random }: Ctx): Sealer {
  return createSealer(config.secret, 'refresh answers', random);
}

function contextOf(tokenHash: Buffer): string {
  return tokenHash.toString('base64url');
}
