import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { deactivateOwnAccount } from '../users/index.ts';
import { erasePerson } from './erase-person.ts';

export type Leaving = { erase?: 'true' | 'false' | undefined; currentPassword?: string | undefined };

/**
 * Deactivates the caller's account, or erases it for good. Throws `users.last_admin`, and for an erasure what
 * `erasePerson` does.
 */
export async function leave(
  ctx: Ctx,
  caller: Caller,
  { erase, currentPassword }: Leaving,
  origin: RequestOrigin,
): Promise<{ success: true; message: string }> {
  if (erase === 'true') {
    await erasePerson(ctx, caller, { currentPassword }, origin);
    return { success: true, message: 'The account is erased.' };
  }
  await deactivateOwnAccount(ctx, { caller, origin });
  return { success: true, message: 'The account is deactivated.' };
}
