import { and, eq } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { accessRequests, applications, memberships } from './tables.ts';
import type { Application } from './to-application-object.ts';

/** `pending`: the person waits for a decision; `denied`: it was the last one; `none`: they have not asked. */
export type Entry =
  | { outcome: 'entered'; role: string }
  | { outcome: 'access_required'; request: 'none' | 'pending' | 'denied' };

/**
 * Lets a person into an application on sign-in: members by their role as it is now; into an open
 * application everybody else too, who become members with its default role, and whose request for access,
 * should there still be one, is granted by that. Nobody enters one that was switched off or deleted
 * meanwhile. `tx` is the service's.
 */
export async function enterApplication(
  ctx: Ctx,
  tx: Tx,
  application: Pick<Application, 'id'>,
  userId: string,
): Promise<Entry> {
  const applicationId = application.id;
  const current = await lockApplication(tx, applicationId);
  if (!current) return { outcome: 'access_required', request: 'none' };
  const { access, defaultRole } = current;
  const role = await findRole(tx, applicationId, userId);
  if (role !== undefined) return { outcome: 'entered', role };
  if (access === 'closed') {
    return { outcome: 'access_required', request: await lastRequest(tx, applicationId, userId) };
  }
  const now = ctx.clock.now();
  await tx
    .insert(memberships)
    .values({ applicationId, userId, role: defaultRole, createdAt: now })
    .onConflictDoNothing();
  await tx
    .update(accessRequests)
    .set({ status: 'approved', grantedRole: defaultRole, decidedAt: now })
    .where(ofPerson(applicationId, userId, 'pending'));
  return { outcome: 'entered', role: (await findRole(tx, applicationId, userId)) ?? defaultRole };
}

/** The application as it is now, which until the end of the transaction cannot be deleted. */
async function lockApplication(
  tx: Tx,
  id: string,
): Promise<Pick<Application, 'access' | 'defaultRole'> | undefined> {
  const { access, defaultRole, isActive } = applications;
  const [found] = await tx
    .select({ access, defaultRole })
    .from(applications)
    .where(and(eq(applications.id, id), eq(isActive, true)))
    .for('key share');
  return found;
}

/** The role that a person has in an application right now; undefined when they have no access. */
export async function findRole(tx: Tx, applicationId: string, userId: string): Promise<string | undefined> {
  const [found] = await tx
    .select({ role: memberships.role })
    .from(memberships)
    .where(and(eq(memberships.applicationId, applicationId), eq(memberships.userId, userId)));
  return found?.role;
}

async function lastRequest(
  tx: Tx,
  applicationId: string,
  userId: string,
): Promise<'none' | 'pending' | 'denied'> {
  if ((await tx.$count(accessRequests, ofPerson(applicationId, userId, 'pending'))) > 0) return 'pending';
  return (await tx.$count(accessRequests, ofPerson(applicationId, userId, 'denied'))) > 0 ? 'denied' : 'none';
}

const ofPerson = (applicationId: string, userId: string, status: 'pending' | 'denied') =>
  and(
    eq(accessRequests.applicationId, applicationId),
    eq(accessRequests.userId, userId),
    eq(accessRequests.status, status),
  );
