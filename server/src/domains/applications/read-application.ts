import { eq } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { ApplicationCaller, Caller, Tx } from '../../db/index.ts';
import { requireMember } from './require-admin.ts';
import type { ApplicationObject } from './schemas.ts';
import type { ProtectedApi } from './settings/schemas.ts';
import { readResources } from './settings/write-resources.ts';
import { applications } from './tables.ts';
import { toApplicationObject, toOwnObject } from './to-application-object.ts';

/** An application in which the caller has a role. Throws `request.not_found`. */
export async function readApplication(ctx: Ctx, caller: Caller, id: string): Promise<ApplicationObject> {
  return ctx.db.asCaller(caller, async (tx) => {
    const { application, role } = await requireMember(tx, caller.userId, id);
    return toApplicationObject(application, role, await resourcesOf(tx, id));
  });
}

/** The application that asks with its own credentials. Throws `auth.application_invalid`. */
export async function readOwnApplication(
  ctx: Ctx,
  caller: ApplicationCaller,
): Promise<Omit<ApplicationObject, 'role'>> {
  return ctx.db.asServiceForApplication(caller, async (tx) => {
    const { applicationId } = caller;
    const [found] = await tx.select().from(applications).where(eq(applications.id, applicationId));
    if (!found) throw new Error('The application of a valid secret is not there');
    return toOwnObject(found, await resourcesOf(tx, applicationId));
  });
}

async function resourcesOf(tx: Tx, id: string): Promise<ProtectedApi[]> {
  return (await readResources(tx, [id])).get(id) ?? [];
}
