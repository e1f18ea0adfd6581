import { and, eq, gt } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { newId } from '../../../lib/ids.ts';
import { recordAuditEvent, type RequestOrigin } from '../../audit/index.ts';
import { recordSecurityEvent } from '../../auth/index.ts';
import { findRole } from '../enter-application.ts';
import { accessRequests, applications } from '../tables.ts';
import type { Application } from '../to-application-object.ts';
import { announceSoon } from './announce-requests.ts';
import { readOwnRequest } from './list-requests.ts';
import type { NewRequest, RequestObject } from './schemas.ts';

/** So many requests of a person for one application in a day, before they have to wait. */
const requestsPerDayMax = 5;
const daySeconds = 86_400;

/**
 * Asks the administrators of a closed application to let the caller in. Throws, in this order,
 * `request.invalid`, `request.not_found` (also for an application that is switched off),
 * `access.already_member`, `access.not_needed`, `access.request_open`, `request.rate_limited`.
 */
export async function requestAccess(
  ctx: Ctx,
  caller: Caller,
  given: NewRequest,
  origin: RequestOrigin,
): Promise<RequestObject> {
  const { userId } = caller;
  const message = given.message?.trim() || null;
  return ctx.db.asServiceFor(caller, async (tx) => {
    const application = await requireWanted(tx, given);
    const applicationId = application.id;
    if ((await findRole(tx, applicationId, userId)) !== undefined)
      throw new AppError('access.already_member');
    if (application.access === 'open') throw new AppError('access.not_needed');
    await announceSoon(ctx, tx, applicationId);
    const row = { id: newId(ctx), applicationId, userId, message, createdAt: ctx.clock.now() };
    // The index on open requests makes whoever comes second wait for the first, and then find theirs.
    const inserted = await tx.insert(accessRequests).values(row).onConflictDoNothing();
    if (inserted.rowCount === 0) throw await openRequestError(tx, applicationId, userId);
    await assertFew(ctx, tx, applicationId, userId);
    const details = { requestId: row.id };
    const target = { type: 'application', id: applicationId };
    const actor = { type: 'user' as const, id: userId };
    await recordAuditEvent(ctx, tx, { action: 'access.requested', actor, target, details }, origin);
    const event = { type: 'access.requested' as const, userId, sessionId: caller.sessionId };
    await recordSecurityEvent(ctx, tx, { ...event, details: { applicationId, ...details } }, origin);
    return readOwnRequest(tx, row.id);
  });
}

/**
 * The application, if it is switched on. Its lock is shared by all who ask, and keeps the announcement of
 * requests waiting until this one is there.
 */
async function requireWanted(tx: Tx, { applicationId, clientId }: NewRequest): Promise<Application> {
  if (applicationId === undefined && clientId === undefined) {
    const message = 'is missing; name the application by `applicationId` or `clientId`';
    throw new AppError('request.invalid', { errors: [{ path: '/body/applicationId', message }] });
  }
  const [application] = await tx
    .select()
    .from(applications)
    .where(
      and(
        eq(applications.isActive, true),
        ...(applicationId === undefined ? [] : [eq(applications.id, applicationId)]),
        ...(clientId === undefined ? [] : [eq(applications.clientId, clientId)]),
      ),
    )
    .for('share');
  if (!application) throw new AppError('request.not_found');
  return application;
}

async function openRequestError(tx: Tx, applicationId: string, userId: string): Promise<AppError> {
  const [open] = await tx
    .select({ accessRequestId: accessRequests.id })
    .from(accessRequests)
    .where(
      and(
        eq(accessRequests.applicationId, applicationId),
        eq(accessRequests.userId, userId),
        eq(accessRequests.status, 'pending'),
      ),
    );
  return new AppError('access.request_open', { extensions: { ...open } });
}

/**
 * Who asks, withdraws and asks again may not do so all day: every request can be a mail to the
 * administrators.
 */
async function assertFew(ctx: Ctx, tx: Tx, applicationId: string, userId: string): Promise<void> {
  const since = new Date(ctx.clock.now().getTime() - daySeconds * 1000);
  const count = await tx.$count(
    accessRequests,
    and(
      eq(accessRequests.applicationId, applicationId),
      eq(accessRequests.userId, userId),
      gt(accessRequests.createdAt, since),
    ),
  );
  if (count <= requestsPerDayMax) return;
  throw new AppError('request.rate_limited', { headers: { 'retry-after': String(daySeconds) } });
}
