import type { Ctx } from '../../ctx.ts';
import { violatedConstraint, type Tx } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { newId } from '../../lib/ids.ts';
import { users } from './tables.ts';
import type { User } from './to-user-object.ts';

export type NewUser = {
  /** Normalised; see checkEmail. */
  email: string;
  name?: string | undefined;
  username?: string | undefined;
  picture?: string | undefined;
  /** Whether somebody we trust has seen that the address is theirs. */
  isEmailVerified?: boolean;
};

/** Adds a person. `tx` is the service's. Throws `users.email_taken` or `users.username_taken`. */
export async function createUser(
  ctx: Ctx,
  tx: Tx,
  { email, name, username, picture, isEmailVerified = false }: NewUser,
): Promise<User> {
  const now = ctx.clock.now();
  try {
    const [user] = await tx
      .insert(users)
      .values({
        id: newId(ctx),
        email,
        name: name?.trim() || null,
        username: username ?? null,
        picture: picture ?? null,
        emailVerifiedAt: isEmailVerified ? now : null,
        createdAt: now,
        updatedAt: now,
      })
      .returning();
    if (!user) throw new Error('The insert returned no row');
    return user;
  } catch (error) {
    throw asTaken(error);
  }
}

/** The refusal that a violated unique constraint of a person stands for; anything else stays what it is. */
export function asTaken(error: unknown): unknown {
  const constraint = violatedConstraint(error);
  if (constraint === 'users_email_key') return new AppError('users.email_taken', { cause: error });
  if (constraint === 'users_username_key') return new AppError('users.username_taken', { cause: error });
  return error;
}
