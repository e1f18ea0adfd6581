import { toUserObject, type User } from '../to-user-object.ts';
import type { Account } from './schemas.ts';

/** A person as administrators see them. */
export function toAccount(user: User, creditsAvailable: number): Account {
  const { deactivatedAt, bannedAt, banEndsAt, banReason } = user;
  return {
    ...toUserObject(user, creditsAvailable),
    deactivatedAt: deactivatedAt?.toISOString() ?? null,
    ban:
      bannedAt === null || banReason === null
        ? null
        : { reason: banReason, since: bannedAt.toISOString(), until: banEndsAt?.toISOString() ?? null },
  };
}
