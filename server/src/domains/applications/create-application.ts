import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { newId } from '../../lib/ids.ts';
import { recordAuditEvent, type RequestOrigin } from '../audit/index.ts';
import { addSecret } from './add-secret.ts';
import { checkRedirectUris } from './check-redirect-uris.ts';
import { adminRole, resolveRoles } from './resolve-roles.ts';
import type { ApplicationObject, NewApplication } from './schemas.ts';
import { applications, memberships } from './tables.ts';
import { toApplicationObject } from './to-application-object.ts';

const clientIdBytes = 16;

/**
 * Registers an application with the caller as its administrator. A confidential one gets a secret, shown this
 * once. Throws `request.invalid`.
 */
export async function createApplication(
  ctx: Ctx,
  caller: Caller,
  given: NewApplication,
  origin: RequestOrigin,
): Promise<ApplicationObject & { clientSecret: string | null }> {
  const { name, access = 'closed', type = 'confidential' } = given;
  const redirectUris = checkRedirectUris(given, type);
  if (!redirectUris) {
    const message = 'is missing; give an empty `redirectUris` if nobody signs in through it';
    throw new AppError('request.invalid', { errors: [{ path: '/body/redirectUris', message }] });
  }
  const now = ctx.clock.now();
  const row = {
    id: newId(ctx),
    clientId: `app_${ctx.random.bytes(clientIdBytes).toString('hex')}`,
    name: name.trim(),
    type,
    access,
    redirectUris,
    ...resolveRoles(given),
    tokenEndpointAuthMethod: type === 'confidential' ? ('client_secret_basic' as const) : ('none' as const),
    createdBy: caller.userId,
    isActive: true,
    createdAt: now,
    updatedAt: now,
  };
  return ctx.db.asServiceFor(caller, async (tx) => {
    const [application] = await tx.insert(applications).values(row).returning();
    if (!application) throw new Error('The application that was registered is not there');
    await tx
      .insert(memberships)
      .values({ applicationId: row.id, userId: caller.userId, role: adminRole, createdAt: now });
    const clientSecret = type === 'confidential' ? await addSecret(ctx, tx, row.id) : null;
    const event = { action: 'application.created', actor: { type: 'user' as const, id: caller.userId } };
    const target = { type: 'application', id: row.id };
    await recordAuditEvent(ctx, tx, { ...event, target, details: { name: row.name, type } }, origin);
    return { ...toApplicationObject(application, adminRole), clientSecret };
  });
}
