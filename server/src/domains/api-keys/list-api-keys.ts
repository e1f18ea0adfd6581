import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { livingKeysOf, requireOwner, type OwnerChoice } from './require-owner.ts';
import type { KeyObject } from './schemas.ts';
import { selectKeys } from './select-keys.ts';

/**
 * The keys of the caller, or of an application that they administer, the newest first, without secrets;
 * those that have expired are among them, revoked ones are not. Throws `request.not_found`,
 * `applications.admin_required`.
 */
export async function listApiKeys(ctx: Ctx, caller: Caller, choice: OwnerChoice): Promise<KeyObject[]> {
  return ctx.db.asServiceFor(caller, async (tx) =>
    selectKeys(ctx, tx, livingKeysOf(await requireOwner(tx, caller, choice))),
  );
}
