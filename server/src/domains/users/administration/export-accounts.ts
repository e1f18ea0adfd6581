import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { recordAuditEvent, type RequestOrigin } from '../../audit/index.ts';
import { readUsers } from './list-accounts.ts';
import type { Account, AccountFilters } from './schemas.ts';
import { toAccount, type ReadCreditsOf } from './to-account.ts';

const rowsPerPage = 1000;

/**
 * The people that a filter shows, as pages of rows that are read while they are sent, newest first, for
 * administrators; the export stands in the audit trail, without what was searched for. Who stops being an
 * administrator on the way gets no further page. Throws `auth.session_ended`, `auth.admin_required`,
 * `request.invalid`.
 */
export async function exportAccounts(
  ctx: Ctx,
  { caller, origin }: { caller: Caller; origin: RequestOrigin },
  readCreditsOf: ReadCreditsOf,
  filters: AccountFilters,
): Promise<AsyncIterable<Account[]>> {
  const { search, ...others } = filters;
  const details = { ...others, isSearch: search !== undefined };
  await ctx.db.asAdministrator(caller, async (tx) => {
    await readUsers(tx, { filters, last: undefined, skipped: 0, rowsMax: 1 });
    const actor = { type: 'user' as const, id: caller.userId };
    await recordAuditEvent(ctx, tx, { action: 'users.exported', actor, details }, origin);
  });
  return readPages(ctx, caller, readCreditsOf, filters);
}

async function* readPages(
  ctx: Ctx,
  caller: Caller,
  readCreditsOf: ReadCreditsOf,
  filters: AccountFilters,
): AsyncGenerator<Account[]> {
  let last: string[] | undefined;
  for (let isMore = true; isMore;) {
    const page = { filters, last, skipped: 0, rowsMax: rowsPerPage };
    const rows = await ctx.db.asAdministrator(caller, (tx) => readUsers(tx, page));
    const ids = rows.map(({ id }) => id);
    const credits = await readCreditsOf.many(ctx, ids);
    const end = rows.at(-1);
    last = end && [end.createdAt.toISOString(), end.id];
    isMore = rows.length === rowsPerPage;
    yield rows.map((user) => toAccount(user, credits.get(user.id) ?? 0));
  }
}
