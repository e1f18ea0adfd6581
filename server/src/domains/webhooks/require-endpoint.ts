import { eq } from 'drizzle-orm';
import type { Tx } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { requireAdmin } from '../applications/index.ts';
import { endpoints } from './tables.ts';
import type { Endpoint } from './to-endpoint-object.ts';

/**
 * The endpoint, for an administrator of its application, which is locked against every other change until the
 * transaction ends. `tx` is the service's. Throws `request.not_found`, `applications.admin_required`.
 */
export async function requireEndpoint(tx: Tx, userId: string, id: string): Promise<Endpoint> {
  const { applicationId } = await findEndpoint(tx, id);
  await requireAdmin(tx, userId, applicationId);
  // Again: whoever had the lock before may have changed or deleted it.
  return findEndpoint(tx, id);
}

async function findEndpoint(tx: Tx, id: string): Promise<Endpoint> {
  const [endpoint] = await tx.select().from(endpoints).where(eq(endpoints.id, id));
  if (!endpoint) throw new AppError('request.not_found');
  return endpoint;
}
