import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { findRole } from '../enter-application.ts';
import { assertOtherAdmin } from '../remove-member.ts';
import { adminRole } from '../resolve-roles.ts';
import { memberships } from '../tables.ts';
import { decideRequest, requireOpenRequest, type OpenRequest } from './decide-request.ts';
import type { ReceivedRequest } from './schemas.ts';

/**
 * Lets whoever asked into the application, with the role named or else the default one; who has become a
 * member meanwhile has this role from now on. Throws, in this order, `request.not_found`,
 * `access.own_request`, `access.request_decided`, `applications.role_unknown`, `applications.last_admin`.
 */
export async function approveRequest(
  ctx: Ctx,
  caller: Caller,
  { id, role: given }: { id: string; role?: string | undefined },
  origin: RequestOrigin,
): Promise<ReceivedRequest> {
  return ctx.db.asServiceFor(caller, async (tx) => {
    const request = await requireOpenRequest(tx, caller.userId, id);
    const { roles, defaultRole } = request.application;
    const role = given ?? defaultRole;
    if (!roles.includes(role)) throw new AppError('applications.role_unknown', { extensions: { roles } });
    await setRole(ctx, tx, request, role);
    return decideRequest(ctx, tx, { caller, request, decision: { status: 'approved', role } }, origin);
  });
}

async function setRole(ctx: Ctx, tx: Tx, request: OpenRequest, role: string): Promise<void> {
  const { userId, application } = request;
  const current = await findRole(tx, application.id, userId);
  if (current === adminRole && role !== adminRole) await assertOtherAdmin(tx, application.id, userId);
  await tx
    .insert(memberships)
    .values({ applicationId: application.id, userId, role, createdAt: ctx.clock.now() })
    .onConflictDoUpdate({ target: [memberships.applicationId, memberships.userId], set: { role } });
}
