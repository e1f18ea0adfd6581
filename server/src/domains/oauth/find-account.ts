import type { Account } from 'oidc-provider';
import type { Ctx } from '../../ctx.ts';
import { findUser, type User } from '../users/index.ts';
import { currentExchange, inExchange } from './exchange.ts';
import { readRoles, type Roles } from './read-roles.ts';
import { withoutNulls } from './stores/source.ts';

/** The application that an account is looked up for. */
export type AccountOptions = { userId: string; applicationId: string | undefined; mustHaveAccess: boolean };

/**
 * An active person as the library wants them; what they are called and their role as they are now. Undefined
 * when they are deactivated, or have no access to the application where that is needed.
 */
export async function findAccount(
  ctx: Ctx,
  { userId, applicationId, mustHaveAccess }: AccountOptions,
): Promise<Account | undefined> {
  return inExchange(ctx, async (tx) => {
    const known = currentExchange()?.known.user;
    const user = known?.id === userId ? known : await findUser(tx, userId);
    if (!user?.isActive) return undefined;
    const roles = applicationId === undefined ? undefined : await readRoles(tx, applicationId, userId);
    if (!roles && mustHaveAccess) return undefined;
    return { accountId: user.id, claims: () => toClaims(user, roles) };
  });
}

/** @see OpenID Connect Core 1.0 §5.1 */
function toClaims(user: User, roles: Roles | undefined): { sub: string } & Record<string, never> {
  return {
    sub: user.id,
    ...withoutNulls({
      name: user.name ?? user.username,
      preferred_username: user.username,
      picture: user.picture,
      updated_at: Math.floor(user.updatedAt.getTime() / 1000),
      email: user.email,
      email_verified: user.emailVerifiedAt !== null,
      ...roles,
    }),
  } as { sub: string } & Record<string, never>;
}
