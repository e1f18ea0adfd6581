import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { newId } from '../../lib/ids.ts';
import { recordAuditEvent, type RequestOrigin } from '../audit/index.ts';
import { addSecret } from './add-secret.ts';
import { assertMayCreate } from './assert-may-create.ts';
import { checkRedirectUris } from './check-redirect-uris.ts';
import { adminRole, resolveRoles } from './resolve-roles.ts';
import type { ApplicationObject, NewApplication } from './schemas.ts';
import { invalidField } from './settings/invalid-field.ts';
import { defaultSettings, resolveSettings } from './settings/resolve-settings.ts';
import { resolveResources } from './settings/resolve-resources.ts';
import { writeResources } from './settings/write-resources.ts';
import { applications, memberships } from './tables.ts';
import { toApplicationObject } from './to-application-object.ts';

const clientIdBytes = 16;

/**
 * Registers an application with the caller as its administrator. A confidential one gets a secret, shown this
 * once. Throws `request.invalid`, `applications.creation_restricted`, `applications.too_many`,
 * `applications.resource_taken`.
 */
export async function createApplication(
  ctx: Ctx,
  caller: Caller,
  given: NewApplication,
  origin: RequestOrigin,
): Promise<ApplicationObject & { clientSecret: string | null }> {
  const { userId } = caller;
  const { row, resources } = toRow(ctx, userId, given);
  return ctx.db.asServiceFor(caller, async (tx) => {
    await assertMayCreate(ctx, tx, userId);
    const [application] = await tx.insert(applications).values(row).returning();
    if (!application) throw new Error('The application that was registered is not there');
    await writeResources(ctx, tx, row.id, resources);
    await tx
      .insert(memberships)
      .values({ applicationId: row.id, userId, role: adminRole, createdAt: row.createdAt });
    const clientSecret = row.type === 'confidential' ? await addSecret(ctx, tx, row.id) : null;
    const event = { action: 'application.created' as const, actor: { type: 'user' as const, id: userId } };
    const details = { name: row.name, type: row.type };
    await recordAuditEvent(
      ctx,
      tx,
      { ...event, target: { type: 'application', id: row.id }, details },
      origin,
    );
    return { ...toApplicationObject(application, adminRole, resources), clientSecret };
  });
}

/** The row of a new application, and the APIs that it protects. Throws `request.invalid`. */
function toRow(ctx: Ctx, userId: string, given: NewApplication) {
  const settings = resolveSettings(given, defaultSettings);
  const redirectUris = checkRedirectUris(given, settings.type);
  if (!redirectUris) {
    throw invalidField(
      '/body/redirectUris',
      'is missing; give an empty `redirectUris` if nobody signs in through it',
    );
  }
  const resources = resolveResources(ctx.config, given.resources ?? []);
  const now = ctx.clock.now();
  const row = {
    ...settings,
    id: newId(ctx),
    clientId: `app_${ctx.random.bytes(clientIdBytes).toString('hex')}`,
    name: given.name.trim(),
    access: given.access ?? ('closed' as const),
    redirectUris,
    ...resolveRoles(given),
    createdBy: userId,
    createdAt: now,
    updatedAt: now,
  };
  return { row, resources };
}
