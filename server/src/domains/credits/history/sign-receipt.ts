import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { epochSeconds } from '../../../lib/exact.ts';

/** `typ` of a receipt: nothing that expects an access token takes it for one. @see RFC 8725 §3.11 */
const receiptType = 'obol-receipt+jwt';

type Row = { sealed: string; previous_hash: string; hash: string };

/**
 * A receipt for a transaction of the caller's wallet: a JWS that proves, with the JWKS alone, that this
 * service has this transaction at this place of the wallet's chain. `sealed` is the very text that `hash`
 * seals. Throws `auth.session_ended`, `request.not_found`.
 * @see RFC 7515 §3.1
 */
export async function signReceipt(ctx: Ctx, caller: Caller, transactionId: string): Promise<string> {
  const row = await ctx.db.asCaller(caller, async (tx) => {
    const { rows } = await tx.execute<Row>(
      sql`select * from credits.sealed_transaction(${caller.userId}, ${transactionId})`,
    );
    return rows[0];
  });
  if (!row) throw new AppError('request.not_found');
  const { sealed, previous_hash: previousHash, hash } = row;
  const claims = {
    iss: ctx.config.jwtIssuer,
    sub: caller.userId,
    iat: epochSeconds(ctx.clock.now()),
    transaction: readSealed(sealed),
    sealed,
    previousHash,
    hash,
  };
  return ctx.keys.sign(claims, receiptType);
}

/** The members of a sealed transaction in the order in which they are sealed. */
const members = [
  'id',
  'walletId',
  'sequence',
  'type',
  'status',
  'amount',
  'balanceBefore',
  'balanceAfter',
  'appId',
  'description',
  'metadata',
  'idempotencyKey',
  'holdId',
  'mandateId',
  'reversesId',
  'createdAt',
  'entries',
] as const;

/** The sealed text with names: the same facts, for people and programs to read. */
function readSealed(sealed: string): Record<string, unknown> {
  const values = JSON.parse(sealed) as unknown[];
  const named = Object.fromEntries(members.map((name, index) => [name, values[index]]));
  const entries = (named.entries as [string, number, string | null][]).map(([account, amount, lotId]) => ({
    account,
    amount,
    lotId,
  }));
  return { ...named, createdAt: new Date(named.createdAt as number).toISOString(), entries };
}
