import { and, eq, isNull } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { newId } from '../../../lib/ids.ts';
import { hashOpaqueToken } from '../../../lib/secrets.ts';
import { backupCodes } from '../tables.ts';

const codesCount = 10;
const codeCharacters = 16;
/** Without letters that are taken for digits. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/**
 * Gives a person ten new backup codes of 80 bits; those before are void. Returns the codes, which are in no
 * table: too long to be guessed from their hashes.
 */
export async function replaceBackupCodes(ctx: Ctx, tx: Tx, userId: string): Promise<string[]> {
  const codes = Array.from({ length: codesCount }, () => newCode(ctx));
  await tx.delete(backupCodes).where(eq(backupCodes.userId, userId));
  await tx.insert(backupCodes).values(
    codes.map((code) => ({
      id: newId(ctx),
      userId,
      codeHash: hashOpaqueToken(normalize(code)),
      createdAt: ctx.clock.now(),
    })),
  );
  return codes;
}

/** Spends a backup code. Of several at once, one gets through. Whether it was one that was left. */
export async function spendBackupCode(ctx: Ctx, tx: Tx, userId: string, code: string): Promise<boolean> {
  const rows = await tx
    .update(backupCodes)
    .set({ consumedAt: ctx.clock.now() })
    .where(
      and(
        eq(backupCodes.userId, userId),
        eq(backupCodes.codeHash, hashOpaqueToken(normalize(code))),
        isNull(backupCodes.consumedAt),
      ),
    )
    .returning({ id: backupCodes.id });
  return rows.length > 0;
}

function newCode({ random }: Ctx): string {
  const letters = [...random.bytes(codeCharacters)].map((byte) => alphabet[byte % alphabet.length]).join('');
  return (letters.match(/.{4}/g) ?? []).join('-');
}

/** As it is typed: in either case, with or without hyphens, with letters for digits. */
function normalize(code: string): string {
  return code
    .toLowerCase()
    .replaceAll(/[^0-9a-z]/g, '')
    .replaceAll('o', '0')
    .replaceAll(/[il]/g, '1');
}
