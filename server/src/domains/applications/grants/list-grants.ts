import { and, desc, eq, isNull } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { listOwnMandates, type MandateView } from '../../credits/index.ts';
import { requireUser } from '../../users/index.ts';
import type { Page } from '../list-applications.ts';
import { applications, grants } from '../tables.ts';
import type { GrantObject } from './schemas.ts';

const budgetType = 'credits_spend';

/**
 * The applications that the caller has let in, newest first, and how many they are. What an application may
 * spend is read from its mandate as it is now, not from what was agreed on at first.
 */
export async function listGrants(
  ctx: Ctx,
  caller: Caller,
  page: Page,
): Promise<{ items: GrantObject[]; total: number }> {
  return ctx.db.asServiceFor(caller, (tx) => readGrants(ctx, tx, caller.userId, page));
}

/**
 * The same of somebody else, for administrators. Throws `auth.admin_required`, `request.not_found`.
 */
export async function listGrantsOf(
  ctx: Ctx,
  caller: Caller,
  { userId, ...page }: { userId: string } & Page,
): Promise<{ items: GrantObject[]; total: number }> {
  return ctx.db.asAdministrator(caller, async (tx) => {
    await requireUser(tx, userId);
    return readGrants(ctx, tx, userId, page);
  });
}

async function readGrants(
  ctx: Ctx,
  tx: Tx,
  userId: string,
  { limit, offset }: Page,
): Promise<{ items: GrantObject[]; total: number }> {
  const isLive = and(eq(grants.userId, userId), isNull(grants.revokedAt));
  const rows = await tx
    .select({ grant: grants, application: applications })
    .from(grants)
    .innerJoin(applications, eq(applications.id, grants.applicationId))
    .where(isLive)
    .orderBy(desc(grants.createdAt), desc(grants.id))
    .limit(limit)
    .offset(offset);
  const clientIds = rows.map(({ application }) => application.clientId);
  const mandates = await listOwnMandates(ctx, tx, { userId, clientIds });
  const items = rows.map(({ grant, application }) =>
    toGrantObject(
      grant,
      application,
      mandates.find(({ appId }) => appId === application.clientId),
    ),
  );
  return { items, total: await tx.$count(grants, isLive) };
}

function toGrantObject(
  grant: typeof grants.$inferSelect,
  application: typeof applications.$inferSelect,
  mandate: MandateView | undefined,
): GrantObject {
  const {
    id: applicationId,
    clientId,
    name,
    logoUri,
    clientUri,
    policyUri,
    termsUri,
    isVerified,
  } = application;
  const others = grant.authorizationDetails.flatMap((detail) =>
    typeof detail.type === 'string' && detail.type !== budgetType ? [{ ...detail, type: detail.type }] : [],
  );
  return {
    id: grant.id,
    application: { id: applicationId, clientId, name, logoUri, clientUri, policyUri, termsUri, isVerified },
    scopes: grant.scopes,
    authorizationDetails: mandate ? [...others, toBudget(mandate)] : others,
    firstUsedAt: grant.createdAt.toISOString(),
    lastUsedAt: grant.lastUsedAt?.toISOString() ?? null,
  };
}

function toBudget(mandate: MandateView): GrantObject['authorizationDetails'][number] {
  const { id: mandateId, allowance, period, maxPerSpend, kinds, used, remaining, resetsAt, status } = mandate;
  const terms = { mandateId, allowance, period, maxPerSpend, kinds, expiresAt: mandate.expiresAt };
  return { type: budgetType, ...terms, used, remaining, resetsAt, status };
}
