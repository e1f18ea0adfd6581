import { and, eq, isNull } from 'drizzle-orm';
import type { Caller, Tx } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { requireAdmin } from '../applications/index.ts';
import { apiKeys } from './tables.ts';

/** Whose keys are meant: the caller's own, or those of an application that they administer. */
export type OwnerChoice = { applicationId?: string | undefined };

/** Who owns a key, as its row says. `clientId` and `name` are those of an application. */
export type Owner =
  | { userId: string; applicationId: null }
  | { userId: null; applicationId: string; clientId: string; name: string };

/**
 * The owner of the keys that the caller means, with every right over them. `tx` is the service's. Throws
 * `request.not_found`, `applications.admin_required`.
 */
export async function requireOwner(tx: Tx, caller: Caller, { applicationId }: OwnerChoice): Promise<Owner> {
  if (applicationId === undefined) return { userId: caller.userId, applicationId: null };
  const { id, clientId, name } = await requireAdmin(tx, caller.userId, applicationId);
  return { userId: null, applicationId: id, clientId, name };
}

/** The keys of an owner that have not been revoked. */
export function livingKeysOf(owner: Owner) {
  const isOwners =
    owner.userId === null ? eq(apiKeys.applicationId, owner.applicationId) : eq(apiKeys.userId, owner.userId);
  return and(isOwners, isNull(apiKeys.revokedAt));
}

/**
 * One of those keys, locked until the transaction ends. To anybody else it answers like one that does not
 * exist. Throws `request.not_found`.
 */
export async function requireKey(tx: Tx, owner: Owner, keyId: string): Promise<typeof apiKeys.$inferSelect> {
  const [key] = await tx
    .select()
    .from(apiKeys)
    .where(and(eq(apiKeys.id, keyId), livingKeysOf(owner)))
    .for('update');
  if (!key) throw new AppError('request.not_found');
  return key;
}
