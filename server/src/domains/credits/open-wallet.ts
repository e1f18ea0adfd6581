import { sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { addressKey, isLoopback } from '../../lib/address.ts';
import { exactInteger } from '../../lib/exact.ts';
import { readUser } from '../users/index.ts';
import { hashAddress, hashMailbox } from './hash-mailbox.ts';

/** Where a person comes from, as far as the bonus goes by it. */
type BonusOrigin = {
  ipAddress?: string;
  /** Whether an address that nobody has confirmed yet gets its bonus by the confirmation only. */
  waitsForAddress?: boolean;
};

/** Bonuses of confirmed addresses wait for nothing. */
const nothingToWaitFor = Number.MAX_SAFE_INTEGER;

/**
 * Opens the personal wallet of a user, with the signup bonus, inside the transaction that makes the user: the
 * account and its wallet exist together or not at all. The wallet's id is the user's. A mailbox gets one
 * bonus, however its address is spelled and however often its account is made. After
 * SIGNUP_BONUS_PER_ADDRESS bonuses of a day for sign-ups from one `ipAddress`, further ones wait until their
 * owners have confirmed the e-mail address, which may be done already. A second call changes nothing. Returns
 * the bonus, in units.
 */
export async function openWallet(
  ctx: Ctx,
  tx: Tx,
  userId: string,
  { ipAddress, waitsForAddress = false }: BonusOrigin = {},
): Promise<number> {
  const { config } = ctx;
  const { email, emailVerifiedAt } = await readUser(tx, userId);
  const unconfirmedMax = waitsForAddress ? 0 : config.signupBonusPerAddressMax;
  const perAddressMax = emailVerifiedAt === null ? unconfirmedMax : nothingToWaitFor;
  const at = ctx.clock.now().toISOString();
  // A proxy on this machine that TRUST_PROXY does not name would make one address of all the world.
  const counted = ipAddress === undefined || isLoopback(ipAddress) ? undefined : addressKey(ipAddress);
  const address = counted === undefined ? null : hashAddress(ctx, counted);
  const { rows } = await tx.execute<{ bonus: number }>(sql`
    select credits.open_personal_wallet(
      ${userId}, ${config.creditsSignupBonus}, ${hashMailbox(ctx, email)}, ${address},
      ${perAddressMax}, ${at}) as bonus`);
  return exactInteger(rows[0]?.bonus ?? 0);
}
