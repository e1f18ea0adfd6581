import { eq } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { recordAuditEvent, type RequestOrigin } from '../audit/index.ts';
import { readUser } from '../users/index.ts';
import { readResources } from './settings/write-resources.ts';
import type { ApplicationObject } from './schemas.ts';
import { applications } from './tables.ts';
import { toOwnObject } from './to-application-object.ts';

/**
 * Says, as an administrator of this service, whether it is known who is behind an application; pages on
 * which people consent warn of all others. It lasts until the application changes its looks. Throws
 * `auth.admin_required`, `request.not_found`.
 */
export async function verifyApplication(
  ctx: Ctx,
  caller: Caller,
  { id, isVerified }: { id: string; isVerified: boolean },
  origin: RequestOrigin,
): Promise<Omit<ApplicationObject, 'role'>> {
  return ctx.db.asServiceFor(caller, async (tx) => {
    const { role } = await readUser(tx, caller.userId);
    if (role !== 'admin') throw new AppError('auth.admin_required');
    const [application] = await tx
      .update(applications)
      .set({ isVerified, updatedAt: ctx.clock.now() })
      .where(eq(applications.id, id))
      .returning();
    if (!application) throw new AppError('request.not_found');
    const event = {
      action: 'application.verified' as const,
      actor: { type: 'user' as const, id: caller.userId },
    };
    const target = { type: 'application', id };
    await recordAuditEvent(ctx, tx, { ...event, target, details: { isVerified } }, origin);
    return toOwnObject(application, (await readResources(tx, [id])).get(id) ?? []);
  });
}
