import { eq, lte } from 'drizzle-orm';
import { recordAuditEvent } from '../audit/index.ts';
import type { Ctx } from '../../ctx.ts';
import { AppError } from '../../errors.ts';
import {
  generateSigningKey,
  insertSigningKey,
  lockSigningKeys,
  readSigningKeys,
  signingAlgorithm,
  signingAlgorithms,
} from './signing-keys.ts';
import { signingKeys } from './tables.ts';

/**
 * Longer than any cache of the JWKS (five minutes) and any process's reload (one) lets an old answer stand.
 */
const publishedBeforeSigningSeconds = 600;
/** Beyond the life of the last token, for clocks that differ. */
const retirementSlackSeconds = 300;
/** ID tokens and others signed with the same keys live at most this long. */
const otherTokensTtlSeconds = 3600;

export type KeyRotation = {
  kid: string;
  /** When the new key starts to sign; until then it is only published. */
  signsFrom: Date;
  /** When the keys before it stop being accepted: the last token they signed has died by then. */
  previousRetireAt: Date;
};

/**
 * Publishes a new signing key of each kind, which takes over ten minutes later, and lets the old ones
 * retire when their last token has died. No restart, no token lost. While a rotation is under way it
 * answers with that one and changes nothing. Throws `auth.keys_given` when the key comes from
 * JWT_PRIVATE_KEY.
 */
export async function rotateKeys(ctx: Ctx): Promise<KeyRotation> {
  if (ctx.config.jwtPrivateKey !== '') throw new AppError('auth.keys_given');
  const next = await Promise.all(signingAlgorithms.map((algorithm) => generateSigningKey(algorithm)));
  const [key] = next;
  if (!key) throw new Error('there is no algorithm to sign with');
  const now = ctx.clock.now();
  const rotation = await ctx.db.asService(async (tx) => {
    await lockSigningKeys(tx);
    await tx.delete(signingKeys).where(lte(signingKeys.retiresAt, now));
    const keys = await readSigningKeys(tx);
    const pending = keys.find((row) => row.signsFrom > now && row.algorithm === signingAlgorithm);
    if (pending) return rotationTo(ctx, pending.kid, pending.signsFrom);
    const planned = rotationTo(ctx, key.kid, new Date(now.getTime() + publishedBeforeSigningSeconds * 1000));
    for (const row of keys) {
      if (row.retiresAt !== null) continue;
      await tx
        .update(signingKeys)
        .set({ retiresAt: planned.previousRetireAt })
        .where(eq(signingKeys.kid, row.kid));
    }
    for (const one of next) await insertSigningKey(ctx, tx, one, planned.signsFrom);
    await recordAuditEvent(ctx, tx, {
      action: 'keys.rotated',
      actor: { type: 'operator' },
      target: { type: 'signing_key', id: key.kid },
    });
    return planned;
  });
  await ctx.keys.reload();
  return rotation;
}

function rotationTo(ctx: Ctx, kid: string, signsFrom: Date): KeyRotation {
  const ttlSeconds = Math.max(ctx.config.accessTokenTtlSeconds, otherTokensTtlSeconds);
  return {
    kid,
    signsFrom,
    previousRetireAt: new Date(signsFrom.getTime() + (ttlSeconds + retirementSlackSeconds) * 1000),
  };
}
