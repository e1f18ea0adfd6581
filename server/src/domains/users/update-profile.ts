import { eq } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { asTaken } from './create-user.ts';
import type { ReadAvailable } from './read-profile.ts';
import type { ProfileChanges, UserObject } from './schemas.ts';
import { users } from './tables.ts';
import { toUserObject } from './to-user-object.ts';

/**
 * Changes the caller's own profile; what is absent stays. Returns the person as they are then.
 * Throws `users.username_taken`.
 */
export async function updateProfile(
  ctx: Ctx,
  readAvailable: ReadAvailable,
  caller: Caller,
  { name, username, picture }: ProfileChanges,
): Promise<UserObject> {
  const user = await ctx.db.asServiceFor(caller, async (tx) => {
    const [changed] = await tx
      .update(users)
      .set({
        ...(name === undefined ? {} : { name: name?.trim() || null }),
        ...(username === undefined ? {} : { username }),
        ...(picture === undefined ? {} : { picture }),
        updatedAt: ctx.clock.now(),
      })
      .where(eq(users.id, caller.userId))
      .returning()
      .catch((error: unknown) => {
        throw asTaken(error);
      });
    if (!changed) throw new Error('The user of a living session is not there');
    return changed;
  });
  return toUserObject(user, await readAvailable(ctx, caller));
}
