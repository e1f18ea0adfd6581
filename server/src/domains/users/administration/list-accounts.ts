import { desc, inArray, sql, type SQL } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import { cursorParts, readCursor, writeCursor } from '../../../http/cursor.ts';
import { readInstant } from '../../../http/read-instant.ts';
import { exactInteger } from '../../../lib/exact.ts';
import { users } from '../tables.ts';
import type { User } from '../to-user-object.ts';
import type { Account, AccountFilters, AccountsQuery } from './schemas.ts';
import { toAccount, type ReadCreditsOf } from './to-account.ts';

export type AccountsPage = {
  accounts: Account[];
  total: number;
  /** Whether `total` is an estimate: beyond ten thousand nobody counts. */
  isEstimate: boolean;
  nextCursor: string | undefined;
};

const countMax = 10_000;

/**
 * A page of people, newest first, for administrators. A page costs the same wherever it is, and by cursor it
 * is neither moved nor repeated by people who register meanwhile. Throws `auth.session_ended`,
 * `auth.admin_required`, `request.invalid`.
 */
export async function listAccounts(
  ctx: Ctx,
  caller: Caller,
  readCreditsOf: ReadCreditsOf,
  { limit, offset, cursor, ...filters }: AccountsQuery,
): Promise<AccountsPage> {
  const last = cursor === undefined ? undefined : readCursor(cursor, [cursorParts.time, cursorParts.id]);
  const { rows, count } = await ctx.db.asAdministrator(caller, async (tx) => ({
    rows: await readUsers(tx, { filters, last, skipped: last ? 0 : offset, rowsMax: limit + 1 }),
    count: await countUsers(tx, filters),
  }));
  const page = rows.slice(0, limit);
  const credits = await readCreditsOf.many(
    ctx,
    page.map(({ id }) => id),
  );
  const end = page.at(-1);
  return {
    accounts: page.map((user) => toAccount(user, credits.get(user.id) ?? 0)),
    ...count,
    nextCursor: rows.length > limit && end ? cursorBehind(end) : undefined,
  };
}

const cursorBehind = ({ createdAt, id }: User): string => writeCursor([createdAt.toISOString(), id]);

export type UsersPage = {
  filters: AccountFilters;
  /** Time of registration and id of the last person of the page before. */
  last: string[] | undefined;
  skipped: number;
  rowsMax: number;
};

/** People that a filter shows, newest first. `tx` is an administrator's. */
export async function readUsers(tx: Tx, { filters, last, skipped, rowsMax }: UsersPage): Promise<User[]> {
  const { rows } = await tx.execute<{ id: string }>(sql`
    select id from auth.list_users(
      ${toFilter(filters)}, ${last?.[0] ?? null}, ${last?.[1] ?? null}, ${skipped}, ${rowsMax}) as id`);
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  return tx.select().from(users).where(inArray(users.id, ids)).orderBy(desc(users.createdAt), desc(users.id));
}

async function countUsers(tx: Tx, filters: AccountFilters): Promise<{ total: number; isEstimate: boolean }> {
  const { rows } = await tx.execute<{ total: string; is_estimate: boolean }>(
    sql`select total, is_estimate from auth.count_users(${toFilter(filters)}, ${countMax})`,
  );
  const [row] = rows;
  return { total: exactInteger(row?.total ?? 0), isEstimate: row?.is_estimate ?? false };
}

function toFilter({ search, role, isActive, banned, createdFrom, createdTo }: AccountFilters): SQL {
  const text = search?.normalize('NFKC').trim();
  return sql`row(
    ${text || null}, ${role ?? null}, ${isActive ?? null},
    ${createdFrom === undefined ? null : readInstant(createdFrom, '/query/createdFrom')}::timestamptz,
    ${createdTo === undefined ? null : readInstant(createdTo, '/query/createdTo')}::timestamptz,
    ${banned ?? null})::auth.user_filter`;
}
