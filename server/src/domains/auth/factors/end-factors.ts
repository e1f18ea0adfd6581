import { eq } from 'drizzle-orm';
import type { Tx } from '../../../db/index.ts';
import { dropPendingSignIns } from '../sign-in/pending-sign-in.ts';
import { forgetDevices } from '../sign-in/remembered-devices.ts';
import { backupCodes } from '../tables.ts';
import { readFactors } from './read-factors.ts';

/** After the last second factor went: what only made sense beside one goes, too. */
export async function endFactorsIfNone(tx: Tx, userId: string): Promise<void> {
  const { methods } = await readFactors(tx, userId);
  if (methods.length > 0) return;
  await tx.delete(backupCodes).where(eq(backupCodes.userId, userId));
  await forgetDevices(tx, userId);
  await dropPendingSignIns(tx, userId);
}
