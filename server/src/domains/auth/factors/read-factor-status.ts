import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { readRememberedDevices } from '../sign-in/remembered-devices.ts';
import { readFactors } from './read-factors.ts';
import type { FactorStatus } from './schemas.ts';

/** Which second factors the caller has, and which devices are not asked for them. */
export async function readFactorStatus(ctx: Ctx, caller: Caller): Promise<FactorStatus> {
  const { factors, devices } = await ctx.db.asServiceFor(caller, async (tx) => ({
    factors: await readFactors(tx, caller.userId),
    devices: await readRememberedDevices(ctx, tx, caller.userId),
  }));
  return {
    enabled: factors.methods.length > 0,
    methods: factors.methods,
    totp: factors.hasTotp,
    passkeys: factors.passkeyCount,
    backupCodesLeft: factors.backupCodesLeft,
    rememberedDevices: devices.map(({ id, userAgent, ipAddress, createdAt, lastUsedAt, expiresAt }) => ({
      id,
      userAgent,
      ipAddress,
      createdAt: createdAt.toISOString(),
      lastUsedAt: lastUsedAt.toISOString(),
      expiresAt: expiresAt.toISOString(),
    })),
  };
}
