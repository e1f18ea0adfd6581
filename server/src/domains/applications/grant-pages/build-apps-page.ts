import type { AppsPage } from '../../../../../web/src/account-pages.ts';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { readOwnAccount } from '../../auth/index.ts';
import { listGrants } from '../grants/list-grants.ts';

/** More are a page of the API. */
const shownMax = 50;

/** The page of the applications that the caller has let in. Throws `auth.session_ended`. */
export async function buildAppsPage(
  ctx: Ctx,
  caller: Caller,
  { path, hidden, isRemoved }: { path: string; hidden: Record<string, string>; isRemoved: boolean },
): Promise<AppsPage> {
  const { items, total } = await listGrants(ctx, caller, { limit: shownMax, offset: 0 });
  const apps = items.map(({ id, application, scopes, authorizationDetails, firstUsedAt, lastUsedAt }) => {
    const mandateId = authorizationDetails.find(({ type }) => type === 'credits_spend')?.mandateId;
    const budgetUrl = mandateId === undefined ? null : `/mandates/${mandateId}`;
    const removal = { action: `${path}/${id}/remove`, hidden };
    return { id, appName: application.name, scopes, budgetUrl, firstUsedAt, lastUsedAt, removal };
  });
  return {
    name: 'apps',
    account: await readOwnAccount(ctx, caller),
    apps,
    moreCount: total - items.length,
    done: isRemoved ? 'app-removed' : null,
  };
}
