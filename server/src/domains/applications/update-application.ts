import { and, eq, inArray } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller, Tx } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { recordAuditEvent, type RequestOrigin } from '../audit/index.ts';
import { checkRedirectUris } from './check-redirect-uris.ts';
import { requireAdmin } from './require-admin.ts';
import { adminRole, resolveRoles } from './resolve-roles.ts';
import type { ApplicationChanges, ApplicationObject } from './schemas.ts';
import { applications, memberships } from './tables.ts';
import { toApplicationObject, type Application } from './to-application-object.ts';

/**
 * Changes what is named of an application; what is absent stays. Switched off, its credentials are refused
 * from now on. Throws `request.invalid`, `request.not_found`, `applications.admin_required`,
 * `applications.role_in_use`.
 */
export async function updateApplication(
  ctx: Ctx,
  caller: Caller,
  { id, changes }: { id: string; changes: ApplicationChanges },
  origin: RequestOrigin,
): Promise<ApplicationObject> {
  const { userId } = caller;
  return ctx.db.asServiceFor(caller, async (tx) => {
    const current = await requireAdmin(tx, userId, id);
    const { name = current.name, access = current.access, isActive = current.isActive } = changes;
    const redirectUris = checkRedirectUris(changes, current.type) ?? current.redirectUris;
    const roles = resolveRoles(changes, current);
    await assertUnused(tx, current, roles.roles);
    const values = {
      name: name.trim(),
      access,
      isActive,
      redirectUris,
      ...roles,
      updatedAt: ctx.clock.now(),
    };
    await tx.update(applications).set(values).where(eq(applications.id, id));
    const event = { action: 'application.changed', actor: { type: 'user' as const, id: userId } };
    const details = { fields: Object.keys(changes) };
    await recordAuditEvent(ctx, tx, { ...event, target: { type: 'application', id }, details }, origin);
    return toApplicationObject({ ...current, ...values }, adminRole);
  });
}

/** A role that a member has stays until they have another one: nobody ends up with one that means nothing. */
async function assertUnused(tx: Tx, { id, roles }: Application, kept: string[]): Promise<void> {
  const dropped = roles.filter((role) => !kept.includes(role));
  if (dropped.length === 0) return;
  const rows = await tx
    .selectDistinct({ role: memberships.role })
    .from(memberships)
    .where(and(eq(memberships.applicationId, id), inArray(memberships.role, dropped)));
  const used = rows.map(({ role }) => role).toSorted();
  if (used.length > 0) throw new AppError('applications.role_in_use', { extensions: { roles: used } });
}
