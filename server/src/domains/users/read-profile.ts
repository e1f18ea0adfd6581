import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { readUser } from './find-user.ts';
import type { UserObject } from './schemas.ts';
import { toUserObject } from './to-user-object.ts';

/** Credits the caller can spend now. Handed in, because wallets belong to a domain that knows this one. */
export type ReadAvailable = (ctx: Ctx, caller: Caller) => Promise<number>;

/** The caller's own profile. */
export async function readProfile(
  ctx: Ctx,
  readAvailable: ReadAvailable,
  caller: Caller,
): Promise<UserObject> {
  const user = await ctx.db.asCaller(caller, (tx) => readUser(tx, caller.userId));
  return toUserObject(user, await readAvailable(ctx, caller));
}
