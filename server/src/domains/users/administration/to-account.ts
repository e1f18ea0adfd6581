import type { Ctx } from '../../../ctx.ts';
import { toUserObject, type User } from '../to-user-object.ts';
import type { Account } from './schemas.ts';

/**
 * Credits that other people can spend. Handed in, because wallets belong to a domain that knows this one.
 */
export type ReadCreditsOf = {
  /** Of one person, at this moment. */
  one(ctx: Ctx, userId: string): Promise<number>;
  /** Of many, as of when each of their wallets was last looked at. */
  many(ctx: Ctx, userIds: string[]): Promise<Map<string, number>>;
};

/** A person as administrators see them. */
export function toAccount(user: User, creditsAvailable: number): Account {
  const { bannedAt, banEndsAt, banReason } = user;
  return {
    ...toUserObject(user, creditsAvailable),
    deactivatedAt: inactiveSince(user)?.toISOString() ?? null,
    ban:
      bannedAt === null || banReason === null
        ? null
        : { reason: banReason, since: bannedAt.toISOString(), until: banEndsAt?.toISOString() ?? null },
  };
}

/** An account may be deactivated and banned: the first of both counts. */
function inactiveSince({ deactivatedAt, bannedAt }: User): Date | null {
  if (deactivatedAt === null || bannedAt === null) return deactivatedAt ?? bannedAt;
  return deactivatedAt < bannedAt ? deactivatedAt : bannedAt;
}
