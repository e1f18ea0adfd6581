import type { ApplicationObject } from './schemas.ts';
import type { applications } from './tables.ts';

export type Application = typeof applications.$inferSelect;

/** An application as the API shows it to a member with this role. `resources`: the APIs that it protects. */
export function toApplicationObject(
  application: Application,
  role: string,
  resources: string[],
): ApplicationObject {
  return { ...toOwnObject(application, resources), role };
}

/**
 * An application as the API shows it to itself; of the row, only what the schema of the answer names is
 * sent.
 */
export function toOwnObject(application: Application, resources: string[]): Omit<ApplicationObject, 'role'> {
  const { createdAt, updatedAt } = application;
  return {
    ...application,
    redirectUri: application.redirectUris[0] ?? null,
    resources: resources.toSorted(),
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}
