import { and, desc, eq, gt, lte } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { newId } from '../../../lib/ids.ts';
import { hashOpaqueToken, newOpaqueToken } from '../../../lib/secrets.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { rememberedDevices } from '../factor-tables.ts';

/** A secret that a device keeps so that it is not asked for the second factor again. */
export type DeviceToken = { value: string; ttlSeconds: number };

/** Remembers a device whose owner has just shown both factors. Returns what it keeps; it is in no table. */
export async function rememberDevice(
  ctx: Ctx,
  tx: Tx,
  userId: string,
  origin: RequestOrigin,
): Promise<DeviceToken> {
  const value = newOpaqueToken(ctx.random);
  const ttlSeconds = ctx.config.rememberedDeviceSeconds;
  const now = ctx.clock.now();
  await tx
    .delete(rememberedDevices)
    .where(and(eq(rememberedDevices.userId, userId), lte(rememberedDevices.expiresAt, now)));
  await tx.insert(rememberedDevices).values({
    id: newId(ctx),
    userId,
    tokenHash: hashOpaqueToken(value),
    userAgent: origin.userAgent,
    ipAddress: origin.ipAddress,
    createdAt: now,
    lastUsedAt: now,
    expiresAt: new Date(now.getTime() + ttlSeconds * 1000),
  });
  return { value, ttlSeconds };
}

/** Whether this is a device that the person let us remember; notes that it was used. */
export async function isRememberedDevice(
  ctx: Ctx,
  tx: Tx,
  userId: string,
  token: string | undefined,
): Promise<boolean> {
  if (token === undefined || token === '') return false;
  const now = ctx.clock.now();
  const rows = await tx
    .update(rememberedDevices)
    .set({ lastUsedAt: now })
    .where(
      and(
        eq(rememberedDevices.userId, userId),
        eq(rememberedDevices.tokenHash, hashOpaqueToken(token)),
        gt(rememberedDevices.expiresAt, now),
      ),
    )
    .returning({ id: rememberedDevices.id });
  return rows.length > 0;
}

/** The devices of a person that are remembered, the one used last first. */
export async function readRememberedDevices(ctx: Ctx, tx: Tx, userId: string) {
  return tx
    .select()
    .from(rememberedDevices)
    .where(and(eq(rememberedDevices.userId, userId), gt(rememberedDevices.expiresAt, ctx.clock.now())))
    .orderBy(desc(rememberedDevices.lastUsedAt), desc(rememberedDevices.id));
}

/** Forgets one device of a person, or all. Returns how many. */
export async function forgetDevices(tx: Tx, userId: string, only?: string): Promise<number> {
  const rows = await tx
    .delete(rememberedDevices)
    .where(
      and(
        eq(rememberedDevices.userId, userId),
        only === undefined ? undefined : eq(rememberedDevices.id, only),
      ),
    )
    .returning({ id: rememberedDevices.id });
  return rows.length;
}
