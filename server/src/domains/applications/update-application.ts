import { and, eq, inArray } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Caller, Tx } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { recordAuditEvent, type RequestOrigin } from '../audit/index.ts';
import { addSecret } from './add-secret.ts';
import { checkRedirectUris } from './check-redirect-uris.ts';
import { looksTheSame } from './looks.ts';
import { requireAdmin } from './require-admin.ts';
import { adminRole, resolveRoles } from './resolve-roles.ts';
import type { ApplicationChanges, ApplicationWithSecret } from './schemas.ts';
import { resolveSettings } from './settings/resolve-settings.ts';
import { resolveResources } from './settings/resolve-resources.ts';
import { readResources, writeResources } from './settings/write-resources.ts';
import { applications, applicationSecrets, memberships } from './tables.ts';
import { toApplicationObject, type Application } from './to-application-object.ts';

/**
 * Changes what is named of an application; what is absent stays. Switched off, its credentials are refused
 * from now on. One that becomes confidential gets a secret, shown this once; one that stops being it loses
 * its secrets. Throws `request.invalid`, `request.not_found`, `applications.admin_required`,
 * `applications.role_in_use`, `applications.resource_taken`.
 */
export async function updateApplication(
  ctx: Ctx,
  caller: Caller,
  { id, changes }: { id: string; changes: ApplicationChanges },
  origin: RequestOrigin,
): Promise<ApplicationWithSecret> {
  const { userId } = caller;
  const apis = changes.resources && resolveResources(ctx.config, changes.resources);
  return ctx.db.asServiceFor(caller, async (tx) => {
    const current = await requireAdmin(tx, userId, id);
    const values = { ...resolveChanges(changes, current), updatedAt: ctx.clock.now() };
    await assertUnused(tx, current, values.roles);
    await tx.update(applications).set(values).where(eq(applications.id, id));
    if (apis) await writeResources(ctx, tx, id, apis);
    const clientSecret = await changeSecrets(ctx, tx, current, values.type);
    const event = { action: 'application.changed' as const, actor: { type: 'user' as const, id: userId } };
    const details = { fields: Object.keys(changes) };
    await recordAuditEvent(ctx, tx, { ...event, target: { type: 'application', id }, details }, origin);
    const resources = (await readResources(tx, [id])).get(id) ?? [];
    const shown = toApplicationObject({ ...current, ...values }, adminRole, resources);
    return clientSecret === undefined ? shown : { ...shown, clientSecret };
  });
}

/** The columns after a request, each checked with the others as they will be. Throws `request.invalid`. */
function resolveChanges(changes: ApplicationChanges, current: Application) {
  const settings = resolveSettings(changes, current);
  const { name = current.name, access = current.access, isActive = current.isActive } = changes;
  // Those that stay are judged by the type as it will be, too.
  const given = checkRedirectUris(changes, settings.type);
  const isSameType = settings.type === current.type;
  const kept = isSameType || given ? undefined : checkRedirectUris(current, settings.type);
  const values = {
    ...settings,
    name: name.trim(),
    access,
    isActive,
    redirectUris: given ?? kept ?? current.redirectUris,
    ...resolveRoles(changes, current),
  };
  return { ...values, isVerified: current.isVerified && looksTheSame(values, current) };
}

/** Throws `applications.role_in_use`: a role that a member has stays until they have another one. */
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

/** The new secret; null when those so far are gone, undefined when nothing changes. */
async function changeSecrets(
  ctx: Ctx,
  tx: Tx,
  current: Application,
  type: Application['type'],
): Promise<string | null | undefined> {
  const [kept, keeps] = [current.type === 'confidential', type === 'confidential'];
  if (kept === keeps) return undefined;
  if (keeps) return addSecret(ctx, tx, current.id);
  await tx.delete(applicationSecrets).where(eq(applicationSecrets.applicationId, current.id));
  return null;
}
