import type { ApplicationObject } from './schemas.ts';
import type { applications } from './tables.ts';

export type Application = typeof applications.$inferSelect;

/** An application as the API shows it to a member with this role. */
export function toApplicationObject(application: Application, role: string): ApplicationObject {
  return { ...toOwnObject(application), role };
}

/** An application as the API shows it to itself. */
export function toOwnObject(application: Application): Omit<ApplicationObject, 'role'> {
  const { id, clientId, name, type, access, redirectUris, roles, defaultRole, isActive } = application;
  return {
    id,
    clientId,
    name,
    type,
    access,
    redirectUri: redirectUris[0] ?? null,
    redirectUris,
    roles,
    defaultRole,
    isActive,
    createdAt: application.createdAt.toISOString(),
    updatedAt: application.updatedAt.toISOString(),
  };
}
