import { eq } from 'drizzle-orm';
import { readDocument, type RowDocument } from '../../db/documents.ts';
import type { Tx } from '../../db/index.ts';
import { normalizeEmail } from '../../lib/email.ts';
import { users } from './tables.ts';
import type { User } from './to-user-object.ts';

/** The person with this id, if `tx` may see them. */
export async function findUser(tx: Tx, id: string): Promise<User | undefined> {
  const [user] = await tx.select().from(users).where(eq(users.id, id));
  return user;
}

/** The person with this address in whatever spelling, if `tx` may see them. */
export async function findUserByEmail(tx: Tx, email: string): Promise<User | undefined> {
  const [user] = await tx
    .select()
    .from(users)
    .where(eq(users.email, normalizeEmail(email)));
  return user;
}

/** The person with this `sub` at the Auth0 tenant of the settings, if `tx` may see them. */
export async function findUserByAuth0Id(tx: Tx, auth0Id: string): Promise<User | undefined> {
  const [user] = await tx.select().from(users).where(eq(users.auth0Id, auth0Id));
  return user;
}

/**
 * The person with this id, who must be there, locked until the commit: what decides by how they can sign in
 * happens one after the other.
 */
export async function lockUser(tx: Tx, id: string): Promise<User> {
  const [user] = await tx.select().from(users).where(eq(users.id, id)).for('no key update');
  if (!user) throw new Error('The user to lock is not there');
  return user;
}

/** The person with this id, who must be there: the caller of a checked session. */
export async function readUser(tx: Tx, id: string): Promise<User> {
  const user = await findUser(tx, id);
  if (!user) throw new Error('The user of a living session is not there');
  return user;
}

/** The person that SQL gave as a document of their row. */
export function readUserDocument(document: RowDocument): User {
  return readDocument(users, document);
}
