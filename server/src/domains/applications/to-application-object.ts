import type { ApplicationObject } from './schemas.ts';
import type { applications } from './tables.ts';

export type Application = typeof applications.$inferSelect;

/** An application as the API shows it to a member with this role. */
export function toApplicationObject(application: Application, role: string): ApplicationObject {
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
    role,
    isActive,
    createdAt: application.createdAt.toISOString(),
    updatedAt: application.updatedAt.toISOString(),
  };
}
