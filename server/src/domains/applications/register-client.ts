import { eq, sql } from 'drizzle-orm';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { newId } from '../../lib/ids.ts';
import { recordAuditEvent, type RequestOrigin } from '../audit/index.ts';
import { addSecret } from './add-secret.ts';
import { checkRedirectUris } from './check-redirect-uris.ts';
import { looksLikeBefore } from './looks.ts';
import { resolveRoles } from './resolve-roles.ts';
import { nameSchema } from './schemas.ts';
import { invalidField } from './settings/invalid-field.ts';
import { givenSettingsSchema, type GivenSettings } from './settings/schemas.ts';
import { defaultSettings, resolveSettings } from './settings/resolve-settings.ts';
import { applications } from './tables.ts';
import type { Application } from './to-application-object.ts';

/** An application as it describes itself. `clientId`: the address at which it does; else it is given one. */
export type SelfDescription = {
  clientId?: string;
  name: string;
  redirectUris: string[];
  settings: Omit<GivenSettings, 'resources'>;
};

const clientIdBytes = 16;
const describedSchema = Type.Object({ name: nameSchema, settings: givenSettingsSchema });

/**
 * Takes in an application that registers itself: open to everybody, without an administrator, not verified,
 * which the consent page says. One that describes itself at an address is brought up to date, and is not
 * verified any more if it looks different now. `tx` is the service's. Throws `request.invalid`.
 * @see RFC 7591 §3, OAuth Client ID Metadata Document
 */
export async function registerClient(
  ctx: Ctx,
  tx: Tx,
  described: SelfDescription,
  origin: RequestOrigin,
): Promise<{ application: Application; clientSecret: string | null }> {
  assertDescription(described);
  const settings = resolveSettings(described.settings, defaultSettings);
  const redirectUris = checkRedirectUris(described, settings.type) ?? [];
  const clientId = described.clientId ?? `app_${ctx.random.bytes(clientIdBytes).toString('hex')}`;
  const now = ctx.clock.now();
  const changing = { ...settings, name: described.name.trim(), redirectUris, updatedAt: now };
  const [application] = await tx
    .insert(applications)
    .values({
      ...changing,
      id: newId(ctx),
      clientId,
      access: 'open',
      ...resolveRoles({}),
      createdBy: null,
      isSelfRegistered: true,
      createdAt: now,
    })
    .onConflictDoUpdate({
      target: applications.clientId,
      set: { ...changing, isVerified: sql`${applications.isVerified} and ${looksLikeBefore()}` },
      setWhere: eq(applications.isActive, true),
    })
    .returning();
  if (!application) throw new Error('the application is switched off');
  const keepsSecret = application.tokenEndpointAuthMethod.startsWith('client_secret');
  const clientSecret = keepsSecret ? await addSecret(ctx, tx, application.id) : null;
  if (application.createdAt.getTime() === now.getTime()) {
    const event = {
      action: 'application.registered_itself' as const,
      actor: { type: 'application' as const, id: clientId },
    };
    const target = { type: 'application', id: application.id };
    await recordAuditEvent(ctx, tx, { ...event, target, details: { name: application.name } }, origin);
  }
  return { application, clientSecret };
}

/** No route has seen this, so what the schemas say of a name and of settings is checked here. */
function assertDescription({ name, settings }: SelfDescription): void {
  const [wrong] = Value.Errors(describedSchema, { name, settings });
  if (wrong) throw invalidField(`/body${wrong.instancePath.replace('/settings', '')}`, wrong.message);
}
