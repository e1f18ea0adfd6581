import { and, eq, gt, isNull, lt, lte, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { newId } from '../../../lib/ids.ts';
import { hashOpaqueToken, newOpaqueToken } from '../../../lib/secrets.ts';
import { pendingSignIns } from '../factor-tables.ts';
import type { FactorMethod } from '../factors/read-factors.ts';
import type { Device } from '../open-session.ts';
import type { AuthenticationMethod } from './acr-of.ts';

const pendingTtlSeconds = 600;
/** After so many codes the first factor has to be shown again. */
const attemptsMax = 5;

/** What a sign-in needs that waits for its second factor. The token is in no table. */
export type SecondFactorChallenge = { challengeToken: string; methods: FactorMethod[]; expiresIn: number };

/** What was shown so far: see `IdentifiedPerson`. */
type FirstStep = { userId: string; amr: AuthenticationMethod[]; accountId?: string; device: Device };

export type PendingSignIn = FirstStep & { id: string };

/**
 * Writes down that the first factor was shown. Lives ten minutes, and no longer than the account at a
 * provider that it was; older ones of the person go.
 */
export async function createPendingSignIn(
  ctx: Ctx,
  tx: Tx,
  { userId, amr, accountId, device }: FirstStep,
  methods: FactorMethod[],
): Promise<SecondFactorChallenge> {
  const challengeToken = newOpaqueToken(ctx.random);
  const createdAt = ctx.clock.now();
  await tx
    .delete(pendingSignIns)
    .where(and(eq(pendingSignIns.userId, userId), lte(pendingSignIns.expiresAt, createdAt)));
  await tx.insert(pendingSignIns).values({
    id: newId(ctx),
    userId,
    accountId: accountId ?? null,
    tokenHash: hashOpaqueToken(challengeToken),
    amr,
    deviceId: device.deviceId ?? null,
    deviceName: device.deviceName ?? null,
    attempts: 0,
    createdAt,
    expiresAt: new Date(createdAt.getTime() + pendingTtlSeconds * 1000),
  });
  return { challengeToken, methods, expiresIn: pendingTtlSeconds };
}

/** The sign-in that waits under this token, if it does. */
export async function findPendingSignIn(
  ctx: Ctx,
  tx: Tx,
  challengeToken: string,
): Promise<PendingSignIn | undefined> {
  const [row] = await tx.select().from(pendingSignIns).where(isWaiting(ctx, challengeToken));
  return row && toPendingSignIn(row);
}

/** The same, with one more try counted; of several at once, each waits for the ones before. */
export async function tryPendingSignIn(
  ctx: Ctx,
  tx: Tx,
  challengeToken: string,
): Promise<PendingSignIn | undefined> {
  const [row] = await tx
    .update(pendingSignIns)
    .set({ attempts: sql`${pendingSignIns.attempts} + 1` })
    .where(isWaiting(ctx, challengeToken))
    .returning();
  return row && toPendingSignIn(row);
}

/** Ends the wait. Whoever comes second finds it over. */
export async function consumePendingSignIn(ctx: Ctx, tx: Tx, id: string): Promise<void> {
  await tx
    .update(pendingSignIns)
    .set({ consumedAt: ctx.clock.now() })
    .where(and(eq(pendingSignIns.id, id), isNull(pendingSignIns.consumedAt)));
}

/** Makes every sign-in of the person void that waits. */
export async function dropPendingSignIns(tx: Tx, userId: string): Promise<void> {
  await tx.delete(pendingSignIns).where(eq(pendingSignIns.userId, userId));
}

function isWaiting(ctx: Ctx, challengeToken: string) {
  return and(
    eq(pendingSignIns.tokenHash, hashOpaqueToken(challengeToken)),
    isNull(pendingSignIns.consumedAt),
    gt(pendingSignIns.expiresAt, ctx.clock.now()),
    lt(pendingSignIns.attempts, attemptsMax),
  );
}

function toPendingSignIn(row: typeof pendingSignIns.$inferSelect): PendingSignIn {
  const { id, userId, amr, accountId, deviceId, deviceName } = row;
  const device = { deviceId: deviceId ?? undefined, deviceName: deviceName ?? undefined };
  const account = accountId === null ? {} : { accountId };
  return { id, userId, amr: amr as AuthenticationMethod[], device, ...account };
}
