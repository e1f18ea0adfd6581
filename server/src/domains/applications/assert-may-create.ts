import { eq, sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import { AppError } from '../../errors.ts';
import { readUser } from '../users/index.ts';
import { applications } from './tables.ts';

/**
 * Throws `applications.creation_restricted` when only administrators of this service register applications
 * and this is none, `applications.too_many` when they have as many as one person may. Who registers two at
 * the same moment has them counted one after the other. `tx` is the service's.
 */
export async function assertMayCreate(ctx: Ctx, tx: Tx, userId: string): Promise<void> {
  const { applicationCreation, applicationsPerUserMax: max } = ctx.config;
  const { role } = await readUser(tx, userId);
  if (role === 'admin') return;
  if (applicationCreation === 'admins') throw new AppError('applications.creation_restricted');
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`apps.applications ${userId}`}, 0))`);
  const count = await tx.$count(applications, eq(applications.createdBy, userId));
  if (count >= max) throw new AppError('applications.too_many', { extensions: { max } });
}
