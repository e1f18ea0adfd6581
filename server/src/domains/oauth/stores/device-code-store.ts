import { and, eq, isNull } from 'drizzle-orm';
import { errors } from 'oidc-provider';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { findClient, findClientById } from '../../applications/index.ts';
import { currentExchange } from '../exchange.ts';
import { deviceCodes } from '../tables.ts';
import { findLiveAuthorization, letOutliveSession } from './authorization.ts';
import { revokeTokens } from './revoke-tokens.ts';
import { fromSource, toSource, withoutNulls } from './source.ts';
import {
  digestOf,
  fromSeconds,
  hashOf,
  toHandle,
  toSeconds,
  type Payload,
  type Store,
} from './to-adapter.ts';

type Row = typeof deviceCodes.$inferSelect;

/** How much longer a device that asks too often has to wait each time. @see RFC 8628 §3.5 */
const slowDownSeconds = 5;

/**
 * Codes of devices. A device polls with the one, a person types in the other; both are kept as digests, so
 * the typed one is known only in the request that brings it.
 */
export function createDeviceCodeStore(ctx: Ctx): Store {
  return {
    async save(tx, code, payload) {
      const codeHash = hashOfCode(code);
      const { grantId, expiresWithSession } = payload;
      if (grantId && expiresWithSession !== true) await letOutliveSession(tx, grantId);
      const changes = {
        authorizationId: grantId ?? null,
        isInFlight: payload.inFlight === true,
        error: payload.error ?? null,
        errorDescription: payload.errorDescription ?? null,
        ...toSource(payload),
      };
      const [known] = await tx
        .update(deviceCodes)
        .set(changes)
        .where(eq(deviceCodes.codeHash, codeHash))
        .returning({ codeHash: deviceCodes.codeHash });
      if (known) return;
      const application = await findClient(tx, payload.clientId ?? '');
      if (!application) throw new errors.InvalidClient('client is invalid');
      const origin = currentExchange()?.origin;
      await tx.insert(deviceCodes).values({
        codeHash,
        userCodeHash: digestOf(payload.userCode ?? ''),
        applicationId: application.id,
        parameters: payload.params ?? {},
        ipAddress: origin?.ipAddress ?? null,
        userAgent: origin?.userAgent ?? null,
        ...changes,
        createdAt: fromSeconds(payload.iat ?? 0),
        expiresAt: fromSeconds(payload.exp ?? 0),
      });
    },
    async find(tx, code) {
      const isThis = eq(deviceCodes.codeHash, hashOfCode(code));
      // Locked, since a device that polls twice at once must not get two answers.
      const [row] = await tx.select().from(deviceCodes).where(isThis).for('update');
      if (!row) return undefined;
      if (currentExchange()?.endpoint === 'token') await notePoll(ctx, tx, row);
      return toPayload(ctx, tx, row, { jti: code });
    },
    async findByUserCode(tx, userCode) {
      const isThis = eq(deviceCodes.userCodeHash, digestOf(userCode));
      const [row] = await tx.select().from(deviceCodes).where(isThis).for('update');
      return row && toPayload(ctx, tx, row, { jti: toHandle(row.codeHash), userCode });
    },
    async consume(tx, code) {
      const [spent] = await tx
        .update(deviceCodes)
        .set({ consumedAt: ctx.clock.now() })
        .where(and(eq(deviceCodes.codeHash, digestOf(code)), isNull(deviceCodes.consumedAt)))
        .returning({ codeHash: deviceCodes.codeHash });
      if (!spent) throw new errors.InvalidGrant('device code already consumed');
    },
    revokeByGrantId: revokeTokens(ctx),
  };
}

/** A device brings the code itself; the pages know only its digest. */
function hashOfCode(code: string): Buffer {
  return hashOf(code, currentExchange()?.endpoint !== 'token');
}

/** A device that asks sooner than it was told is told to wait longer. */
async function notePoll(ctx: Ctx, tx: Tx, row: Row): Promise<void> {
  const now = ctx.clock.now();
  if (row.authorizationId || row.error || row.expiresAt <= now) return;
  const isTooSoon =
    row.polledAt !== null && now.getTime() - row.polledAt.getTime() < row.intervalSeconds * 1000;
  const intervalSeconds = row.intervalSeconds + (isTooSoon ? slowDownSeconds : 0);
  await tx
    .update(deviceCodes)
    .set({ polledAt: now, intervalSeconds })
    .where(eq(deviceCodes.codeHash, row.codeHash));
  if (isTooSoon) throw new errors.SlowDown();
}

/** Undefined once what the person agreed to has ended. */
async function toPayload(
  ctx: Ctx,
  tx: Tx,
  row: Row,
  known: { jti: string; userCode?: string },
): Promise<Payload | undefined> {
  const application = await findClientById(tx, row.applicationId);
  const authorization = row.authorizationId
    ? await findLiveAuthorization(ctx, tx, row.authorizationId)
    : undefined;
  if (!application || (row.authorizationId && !authorization)) return undefined;
  return {
    ...fromSource(row),
    ...withoutNulls({
      ...known,
      kind: 'DeviceCode',
      iat: toSeconds(row.createdAt),
      exp: toSeconds(row.expiresAt),
      consumed: row.consumedAt && toSeconds(row.consumedAt),
      clientId: application.clientId,
      params: row.parameters,
      inFlight: row.isInFlight || null,
      error: row.error,
      errorDescription: row.errorDescription,
      accountId: authorization?.userId,
      grantId: authorization?.id,
      sid: authorization?.id,
    }),
  };
}
