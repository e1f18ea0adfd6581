import { AppError } from '../../errors.ts';

export const adminRole = 'admin';
const fallbackRole = 'user';

type GivenRoles = { roles?: string[]; defaultRole?: string };

/**
 * The roles of an application, `admin` and at least one other among them, and the role of whoever comes in by
 * themselves: the one named, else the one so far if it stays, else the first that is not `admin`. Throws
 * `request.invalid`.
 */
export function resolveRoles(
  given: GivenRoles,
  current: { roles: string[]; defaultRole?: string } = { roles: [] },
): { roles: string[]; defaultRole: string } {
  const roles = [...new Set([...(given.roles ?? current.roles), adminRole])];
  if (roles.length === 1) roles.push(given.defaultRole ?? fallbackRole);
  const ordinary = roles.filter((role) => role !== adminRole);
  if (given.defaultRole !== undefined && !ordinary.includes(given.defaultRole)) {
    const message = 'must be one of the roles, and not admin';
    throw new AppError('request.invalid', { errors: [{ path: '/body/defaultRole', message }] });
  }
  const kept = ordinary.find((role) => role === current.defaultRole);
  const defaultRole = given.defaultRole ?? kept ?? ordinary[0];
  if (defaultRole === undefined) throw new Error('An application has no role but admin');
  return { roles, defaultRole };
}
