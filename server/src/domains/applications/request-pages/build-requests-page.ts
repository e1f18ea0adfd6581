import { inArray } from 'drizzle-orm';
import type { AccessRequestsPage, AccessRequestView, Problem } from '../../../../../web/src/page.ts';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { readOwnAccount } from '../../auth/index.ts';
import { listRequests } from '../access-requests/list-requests.ts';
import { applications } from '../tables.ts';

/** A page of more would be long to scroll; those that follow come as these are decided on. */
const shownMax = 20;

export type RequestsPageOptions = {
  /** The hidden fields of every form. */
  hidden: Record<string, string>;
  decided: AccessRequestsPage['decided'];
  problem?: Problem;
};

/**
 * The page on which a person decides who comes into the applications that they administer; the mail to
 * administrators links to it.
 */
export async function buildRequestsPage(
  ctx: Ctx,
  caller: Caller,
  { hidden, decided, problem }: RequestsPageOptions,
): Promise<AccessRequestsPage> {
  const { items, total } = await listRequests(ctx, caller, { limit: shownMax, offset: 0 });
  const rolesOf = await readRolesOf(
    ctx,
    caller,
    items.map(({ applicationId }) => applicationId),
  );
  const requests = items.flatMap(({ id, applicationId, applicationName, user, message, createdAt }) => {
    const roles = rolesOf.get(applicationId);
    if (!roles) return [];
    const { name, email, emailVerified: isEmailVerified } = user;
    const form = { action: `/access-requests/${id}`, hidden };
    const person = { name, email, isEmailVerified };
    return [{ id, form, applicationName, person, message, askedAt: createdAt, ...roles }];
  });
  return {
    name: 'access-requests',
    account: await readOwnAccount(ctx, caller),
    requests,
    moreCount: total - items.length,
    decided,
    signInUrl: '/sign-in?next=%2Faccess-requests',
    problem: problem ?? null,
  };
}

type Roles = Pick<AccessRequestView, 'roles' | 'defaultRole'>;

async function readRolesOf(ctx: Ctx, caller: Caller, ids: string[]): Promise<Map<string, Roles>> {
  const { id, roles, defaultRole } = applications;
  const rows = await ctx.db.asServiceFor(caller, (tx) =>
    tx.select({ id, roles, defaultRole }).from(applications).where(inArray(id, ids)),
  );
  return new Map(rows.map((row) => [row.id, { roles: row.roles, defaultRole: row.defaultRole }]));
}
