import { createHmac, timingSafeEqual } from 'node:crypto';
import { lte } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { hashOpaqueToken } from '../../../lib/secrets.ts';
import { usedChallenges } from '../factor-tables.ts';

export const challengeTtlSeconds = 300;
const nonceBytes = 16;
const timeBytes = 8;

/**
 * A challenge that lives five minutes and is for one subject: the id of a person, or nobody's. It carries its
 * own end and is signed, so that nothing is stored for those who only look at a page. @see WebAuthn Level 3
 * §13.4.3
 */
export function newChallenge(ctx: Ctx, subject: string): Uint8Array<ArrayBuffer> {
  const expiresAt = Buffer.alloc(timeBytes);
  expiresAt.writeBigUInt64BE(BigInt(ctx.clock.now().getTime() + challengeTtlSeconds * 1000));
  const body = Buffer.concat([ctx.random.bytes(nonceBytes), expiresAt]);
  return new Uint8Array(Buffer.concat([body, sign(ctx, subject, body)]));
}

/** Whether a challenge is ours, for this subject, and still lives. */
export function isLivingChallenge(ctx: Ctx, subject: string, challenge: string): boolean {
  const bytes = Buffer.from(challenge, 'base64url');
  const body = bytes.subarray(0, nonceBytes + timeBytes);
  const expected = sign(ctx, subject, body);
  const given = bytes.subarray(nonceBytes + timeBytes);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false;
  return body.readBigUInt64BE(nonceBytes) > BigInt(ctx.clock.now().getTime());
}

/** Uses a challenge up. Of several at once, one gets through; those that have died anyway are forgotten. */
export async function spendChallenge(ctx: Ctx, tx: Tx, challenge: string): Promise<boolean> {
  const now = ctx.clock.now();
  await tx.delete(usedChallenges).where(lte(usedChallenges.expiresAt, now));
  const rows = await tx
    .insert(usedChallenges)
    .values({
      challengeHash: hashOpaqueToken(challenge),
      expiresAt: new Date(now.getTime() + challengeTtlSeconds * 1000),
    })
    .onConflictDoNothing()
    .returning({ hash: usedChallenges.challengeHash });
  return rows.length > 0;
}

function sign({ config }: Ctx, subject: string, body: Buffer): Buffer {
  return createHmac('sha256', config.secret).update(`passkey challenge ${subject} `).update(body).digest();
}
