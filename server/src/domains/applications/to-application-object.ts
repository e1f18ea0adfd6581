import type { ApplicationObject } from './schemas.ts';
import type { ProtectedApi } from './settings/schemas.ts';
import type { applications } from './tables.ts';

export type Application = typeof applications.$inferSelect;

/** An application as the API shows it to a member with this role. `resources`: the APIs that it protects. */
export function toApplicationObject(
  application: Application,
  role: string,
  resources: ProtectedApi[],
): ApplicationObject {
  return { ...toOwnObject(application, resources), role };
}

/**
 * An application as the API shows it to itself; of the row, only what the schema of the answer names is
 * sent.
 */
export function toOwnObject(
  application: Application,
  resources: ProtectedApi[],
): Omit<ApplicationObject, 'role'> {
  const { createdAt, updatedAt } = application;
  return {
    ...application,
    redirectUri: application.redirectUris[0] ?? null,
    resources: resources.toSorted((a, b) => (a.identifier < b.identifier ? -1 : 1)),
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}
