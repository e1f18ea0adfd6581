import { and, eq, type SQL } from 'drizzle-orm';
import { readDocument, type RowDocument } from '../../db/documents.ts';
import type { Tx } from '../../db/index.ts';
import { applications } from './tables.ts';
import type { Application } from './to-application-object.ts';

/** The active application with this client id. `tx` is the service's. */
export function findClient(tx: Tx, clientId: string): Promise<Application | undefined> {
  return findActive(tx, eq(applications.clientId, clientId));
}

/** The active application with this id. `tx` is the service's. */
export function findClientById(tx: Tx, id: string): Promise<Application | undefined> {
  return findActive(tx, eq(applications.id, id));
}

async function findActive(tx: Tx, isMeant: SQL): Promise<Application | undefined> {
  const [found] = await tx
    .select()
    .from(applications)
    .where(and(isMeant, eq(applications.isActive, true)));
  return found;
}

/** The application that SQL gave as a document of its row. */
export function readApplicationDocument(document: RowDocument): Application {
  return readDocument(applications, document);
}
