import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { AppError } from '../../../errors.ts';
import { recordAuditEvent, type RequestOrigin } from '../../audit/index.ts';
import { enterApplication, recordConsent, type Application } from '../../applications/index.ts';
import { recordSecurityEvent } from '../../auth/index.ts';
import type { CreditsSpend } from '../granted-details.ts';
import { grantResources } from '../tables.ts';
import { grantBudget } from './budget.ts';
import type { Requested } from './interaction.ts';

export type GivenConsent = { requested: Requested; budget: CreditsSpend | undefined };

/**
 * Writes down what the signed-in person agrees to, all or nothing: the grant, the scopes at each API, and
 * what the application may spend, as a mandate that the ledger holds it to. Throws `access.required`,
 * `auth.session_ended`.
 */
export async function grantConsent(
  ctx: Ctx,
  caller: Caller,
  application: Application,
  { requested, budget }: GivenConsent,
  origin: RequestOrigin,
): Promise<void> {
  const { userId, sessionId } = caller;
  const { id: applicationId, clientId } = application;
  await ctx.db.asServiceFor(caller, async (tx) => {
    const entry = await enterApplication(ctx, tx, application, userId);
    if (entry.outcome !== 'entered') throw new AppError('access.required');
    const { scopes, claims } = requested;
    const authorizationDetails = budget ? [{ ...budget }] : [];
    const consent = { applicationId, userId, scopes, claims, authorizationDetails };
    const { grantId, isNew } = await recordConsent(ctx, tx, consent);
    await grantScopes(tx, grantId, requested, isNew);
    if (budget) await grantBudget(ctx, tx, { userId, sessionId, clientId }, budget);
    const details = { applicationId, clientId, scopes, ...(budget ? { budget } : {}) };
    await recordSecurityEvent(ctx, tx, { type: 'grant.given', userId, sessionId, details }, origin);
    const target = { type: 'application', id: applicationId };
    const actor = { type: 'user' as const, id: userId };
    await recordAuditEvent(ctx, tx, { action: 'grant.given', actor, target, details }, origin);
  });
}

/** Adds the scopes to those granted before at the same API; a new consent begins with nothing. */
async function grantScopes(tx: Tx, grantId: string, { resources }: Requested, isNew: boolean): Promise<void> {
  if (isNew) await tx.execute(sql`delete from oauth.grant_resources where grant_id = ${grantId}`);
  for (const { resource, scopes } of resources) {
    await tx
      .insert(grantResources)
      .values({ grantId, resource, scopes })
      .onConflictDoUpdate({
        target: [grantResources.grantId, grantResources.resource],
        set: {
          scopes: sql`array(select distinct unnest(${grantResources.scopes} || excluded.scopes) order by 1)`,
        },
      });
  }
}
