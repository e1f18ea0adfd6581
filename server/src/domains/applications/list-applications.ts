import { asc, eq } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import type { ApplicationObject } from './schemas.ts';
import { readResources } from './settings/write-resources.ts';
import { applications, memberships } from './tables.ts';
import { toApplicationObject } from './to-application-object.ts';

export type Page = { limit: number; offset: number };

/** The applications in which the caller has a role, by name, and how many there are. */
export async function listApplications(
  ctx: Ctx,
  caller: Caller,
  { limit, offset }: Page,
): Promise<{ items: ApplicationObject[]; total: number }> {
  return ctx.db.asCaller(caller, async (tx) => {
    const rows = await tx
      .select({ application: applications, role: memberships.role })
      .from(memberships)
      .innerJoin(applications, eq(applications.id, memberships.applicationId))
      .where(eq(memberships.userId, caller.userId))
      .orderBy(asc(applications.name), asc(applications.id))
      .limit(limit)
      .offset(offset);
    const total = await tx.$count(memberships, eq(memberships.userId, caller.userId));
    const resources = await readResources(
      tx,
      rows.map(({ application }) => application.id),
    );
    const items = rows.map(({ application, role }) =>
      toApplicationObject(application, role, resources.get(application.id) ?? []),
    );
    return { items, total };
  });
}
