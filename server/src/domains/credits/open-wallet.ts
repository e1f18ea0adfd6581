import { sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { addressKey, isLoopback } from '../../lib/address.ts';
import { exactInteger } from '../../lib/exact.ts';
import { readUser } from '../users/index.ts';
import { hashAddress, hashMailbox } from './hash-mailbox.ts';

/**
 * Opens the personal wallet of a user, with the signup bonus, inside the transaction that makes the user: the
 * account and its wallet exist together or not at all. The wallet's id is the user's. A mailbox gets one
 * bonus, however its address is spelled and however often its account is made. After
 * SIGNUP_BONUS_PER_ADDRESS bonuses of a day for sign-ups from one `ipAddress`, further ones wait until their
 * owners have confirmed the e-mail address. A second call changes nothing. Returns the bonus, in units.
 */
export async function openWallet(ctx: Ctx, tx: Tx, userId: string, ipAddress?: string): Promise<number> {
  const { config } = ctx;
  const { email } = await readUser(tx, userId);
  const at = ctx.clock.now().toISOString();
  // A proxy on this machine that TRUST_PROXY does not name would make one address of all the world.
  const counted = ipAddress === undefined || isLoopback(ipAddress) ? undefined : addressKey(ipAddress);
  const address = counted === undefined ? null : hashAddress(ctx, counted);
  const { rows } = await tx.execute<{ bonus: number }>(sql`
    select credits.open_personal_wallet(
      ${userId}, ${config.creditsSignupBonus}, ${hashMailbox(ctx, email)}, ${address},
      ${config.signupBonusPerAddressMax}, ${at}) as bonus`);
  return exactInteger(rows[0]?.bonus ?? 0);
}
