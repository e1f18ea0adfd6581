import { and, eq } from 'drizzle-orm';
import type { Tx } from '../../db/index.ts';
import { clientsOfResource } from './settings/write-resources.ts';
import { applications, resources } from './tables.ts';

/** An API: the application that protects it, the scopes it knows, and who else may call it themselves. */
export type Api = { ownerClientId: string; scopes: string[]; clients: string[] };

/** The API with this identifier, while the application that protects it is active. `tx` is the service's. */
export async function findApi(tx: Tx, identifier: string): Promise<Api | undefined> {
  const { scopes } = resources;
  const [found] = await tx
    .select({ ownerClientId: applications.clientId, scopes, clients: clientsOfResource })
    .from(resources)
    .innerJoin(applications, eq(applications.id, resources.applicationId))
    .where(and(eq(resources.identifier, identifier), eq(applications.isActive, true)));
  return found;
}

/**
 * Whether an application may have tokens for an API that no person has agreed to: in its own name, or in
 * exchange for a person's token for something else.
 */
export function mayCall({ ownerClientId, clients }: Api, clientId: string): boolean {
  return ownerClientId === clientId || clients.includes(clientId);
}
