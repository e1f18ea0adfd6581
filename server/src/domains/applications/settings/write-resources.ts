import { and, asc, eq, inArray, notInArray, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { applications, resourceClients, resources } from '../tables.ts';
import { invalidField } from './invalid-field.ts';
import type { ProtectedApi } from './schemas.ts';

/**
 * Makes these, and no others, the APIs that an application protects, with their scopes and the clients that
 * it lets call them. Throws `applications.resource_taken` when one of them belongs to another application,
 * whoever comes second, and `request.invalid` when there is no such client. `tx` is the service's and holds
 * the application.
 */
export async function writeResources(
  ctx: Ctx,
  tx: Tx,
  applicationId: string,
  apis: ProtectedApi[],
): Promise<void> {
  const isOwn = eq(resources.applicationId, applicationId);
  const { identifier } = resources;
  const identifiers = apis.map((api) => api.identifier);
  await tx.delete(resources).where(and(isOwn, notInArray(identifier, [...identifiers, ''])));
  if (apis.length === 0) return;
  // In one order, so that two applications that want the same ones wait for each other and not in a circle.
  const wanted = apis.toSorted((a, b) => (a.identifier < b.identifier ? -1 : 1));
  const createdAt = ctx.clock.now();
  const written = await tx
    .insert(resources)
    .values(
      wanted.map((api) => ({ identifier: api.identifier, scopes: api.scopes, applicationId, createdAt })),
    )
    .onConflictDoUpdate({
      target: identifier,
      set: { scopes: sql`excluded.scopes` },
      setWhere: isOwn,
    })
    .returning({ identifier });
  const own = new Set(written.map((row) => row.identifier));
  const taken = wanted.map((api) => api.identifier).filter((one) => !own.has(one));
  if (taken.length > 0)
    throw new AppError('applications.resource_taken', { extensions: { resources: taken } });
  await writeClients(ctx, tx, apis);
}

async function writeClients(ctx: Ctx, tx: Tx, apis: ProtectedApi[]): Promise<void> {
  const identifiers = apis.map(({ identifier }) => identifier);
  await tx.delete(resourceClients).where(inArray(resourceClients.resource, identifiers));
  const createdAt = ctx.clock.now();
  const rows = apis.flatMap(({ identifier, clients }) =>
    clients.map((clientId) => ({ resource: identifier, clientId, createdAt })),
  );
  if (rows.length === 0) return;
  await assertClients(tx, apis);
  await tx.insert(resourceClients).values(rows);
}

/** Throws `request.invalid` unless there is an application for each client id, and locks them. */
async function assertClients(tx: Tx, apis: ProtectedApi[]): Promise<void> {
  const { clientId } = applications;
  const named = apis.flatMap(({ clients }) => clients);
  const found = await tx
    .select({ clientId })
    .from(applications)
    .where(inArray(clientId, named))
    .orderBy(asc(clientId))
    .for('key share');
  const known = new Set(found.map((row) => row.clientId));
  apis.forEach(({ clients }, index) => {
    const unknown = clients.findIndex((one) => !known.has(one));
    if (unknown < 0) return;
    throw invalidField(
      `/body/resources/${index}/clients/${unknown}`,
      'is not the client id of an application',
    );
  });
}

/** The APIs that these applications protect, by application. */
export async function readResources(tx: Tx, applicationIds: string[]): Promise<Map<string, ProtectedApi[]>> {
  const found = new Map<string, ProtectedApi[]>(applicationIds.map((id) => [id, []]));
  if (applicationIds.length === 0) return found;
  const { applicationId, identifier, scopes } = resources;
  const rows = await tx
    .select({ applicationId, identifier, scopes, clients: clientsOfResource })
    .from(resources)
    .where(inArray(applicationId, applicationIds))
    .orderBy(asc(identifier));
  for (const { applicationId: id, ...api } of rows) found.get(id)?.push(api);
  return found;
}

/** The clients that may call an API besides its own, in a statement about `apps.resources`. */
export const clientsOfResource = sql<string[]>`array(
  select ${resourceClients.clientId} from ${resourceClients}
   where ${resourceClients.resource} = ${resources.identifier} order by 1)`;
