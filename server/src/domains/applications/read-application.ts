import { eq } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { ApplicationCaller, Caller } from '../../db/index.ts';
import { requireMember } from './require-admin.ts';
import type { ApplicationObject } from './schemas.ts';
import { applications } from './tables.ts';
import { toApplicationObject, toOwnObject } from './to-application-object.ts';

/** An application in which the caller has a role. Throws `request.not_found`. */
export async function readApplication(ctx: Ctx, caller: Caller, id: string): Promise<ApplicationObject> {
  const { application, role } = await ctx.db.asCaller(caller, (tx) => requireMember(tx, caller.userId, id));
  return toApplicationObject(application, role);
}

/** The application that asks with its own credentials. Throws `auth.application_invalid`. */
export async function readOwnApplication(
  ctx: Ctx,
  caller: ApplicationCaller,
): Promise<Omit<ApplicationObject, 'role'>> {
  const [found] = await ctx.db.asServiceForApplication(caller, (tx) =>
    tx.select().from(applications).where(eq(applications.id, caller.applicationId)),
  );
  if (!found) throw new Error('The application of a valid secret is not there');
  return toOwnObject(found);
}
