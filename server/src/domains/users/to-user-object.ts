import type { UserObject } from './schemas.ts';
import type { users } from './tables.ts';

/** A person as stored. */
export type User = typeof users.$inferSelect;

/** A person as the API shows them. `creditsAvailable` comes from the wallet, which is not this domain's. */
export function toUserObject(user: User, creditsAvailable: number): UserObject {
  return {
    id: user.id,
    email: user.email,
    emailVerified: user.emailVerifiedAt !== null,
    name: user.name,
    username: user.username,
    picture: user.picture,
    role: user.role,
    credits: creditsAvailable,
    subscriptionStatus: user.subscriptionStatus,
    subscriptionTier: user.subscriptionTier,
    isActive: user.isActive,
    createdAt: user.createdAt.toISOString(),
    updatedAt: user.updatedAt.toISOString(),
  };
}
