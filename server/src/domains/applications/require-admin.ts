import { and, eq } from 'drizzle-orm';
import type { Tx } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { adminRole } from './resolve-roles.ts';
import { applications, memberships } from './tables.ts';
import type { Application } from './to-application-object.ts';

export type Membership = { application: Application; role: string };

/**
 * The application and the person's role in it. To whoever has none it answers like one that does not exist.
 * Throws `request.not_found`.
 */
export async function requireMember(tx: Tx, userId: string, applicationId: string): Promise<Membership> {
  const [found] = await tx
    .select({ application: applications, role: memberships.role })
    .from(applications)
    .innerJoin(memberships, eq(memberships.applicationId, applications.id))
    .where(and(eq(applications.id, applicationId), eq(memberships.userId, userId)));
  if (!found) throw new AppError('request.not_found');
  return found;
}

/**
 * The application, for one of its administrators, locked against every other change of it or its members
 * until the transaction ends. `tx` is the service's. Throws `request.not_found`,
 * `applications.admin_required`.
 */
export async function requireAdmin(tx: Tx, userId: string, applicationId: string): Promise<Application> {
  await tx
    .select({ id: applications.id })
    .from(applications)
    .where(eq(applications.id, applicationId))
    .for('no key update');
  const { application, role } = await requireMember(tx, userId, applicationId);
  if (role !== adminRole) throw new AppError('applications.admin_required');
  return application;
}
