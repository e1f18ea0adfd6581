import { Type, type Static } from 'typebox';
import type { FastifyReply } from 'fastify';
import type { PeoplePage, PeopleShown, PersonState } from '../../../../../web/src/admin-pages.ts';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { readOwnAccount } from '../../../domains/auth/index.ts';
import { readCreditsOf } from '../../../domains/credits/index.ts';
import { listAccounts, type Account } from '../../../domains/users/index.ts';
import { forAdministrator, peoplePath } from '../page-caller.ts';
import { addPages } from '../page-scope.ts';
import { reactPageRoute, sendReactPage } from '../react-page.ts';

const shownMax = 25;
const querystring = Type.Object({
  search: Type.Optional(Type.String({ maxLength: 254 })),
  show: Type.Optional(Type.Enum(['everybody', 'administrators', 'inactive', 'banned'])),
  cursor: Type.Optional(Type.String({ pattern: '^[\\w-]{1,200}$' })),
});
type Query = Static<typeof querystring>;
const filters = {
  everybody: {},
  administrators: { role: 'admin' },
  inactive: { isActive: false, banned: false },
  banned: { banned: true },
} as const satisfies Record<PeopleShown, object>;

/** The list of everybody, for administrators of the service. */
export function addPeoplePage(app: App, ctx: Ctx): void {
  addPages(app, (pages) => {
    const schema = { ...reactPageRoute.schema, querystring };
    pages.get(peoplePath, { schema }, (request, reply) =>
      forAdministrator(ctx, request, reply, {
        next: addressOf(request.query),
        work: (caller) => showPeople(ctx, reply, caller, request.query),
      }),
    );
  });
}

async function showPeople(
  ctx: Ctx,
  reply: FastifyReply,
  caller: Caller,
  { search = '', show = 'everybody', cursor }: Query,
): Promise<FastifyReply> {
  const { accounts, total, isEstimate, nextCursor } = await listAccounts(ctx, caller, readCreditsOf, {
    ...filters[show],
    ...(search.trim() === '' ? {} : { search: search.trim() }),
    ...(cursor === undefined ? {} : { cursor }),
    limit: shownMax,
    offset: 0,
  });
  const page: PeoplePage = {
    name: 'people',
    account: await readOwnAccount(ctx, caller),
    searchUrl: peoplePath,
    search,
    show,
    people: accounts.map(toRow),
    total,
    isEstimate,
    scale: ctx.config.creditsScale,
    olderUrl: nextCursor === undefined ? null : addressOf({ search, show, cursor: nextCursor }),
    newestUrl: cursor === undefined ? null : addressOf({ search, show }),
  };
  return sendReactPage(reply, page);
}

function toRow(account: Account): PeoplePage['people'][number] {
  const { id, email, name, role, credits, createdAt } = account;
  const isAdministrator = role === 'admin';
  const url = `${peoplePath}/${id}`;
  return { id, email, name, isAdministrator, state: stateOf(account), credits, createdAt, url };
}

/** What an administrator is told of whether an account is in use. */
export function stateOf({ ban, isActive }: Account): PersonState {
  if (isActive) return 'active';
  return ban === null ? 'deactivated' : 'banned';
}

/** Signing in leads back to it, see `readNext`. */
function addressOf(query: Query): string {
  const { search = '', show = 'everybody', cursor } = query;
  if (search === '' && show === 'everybody' && cursor === undefined) return peoplePath;
  const fields = new URLSearchParams({ search, show, ...(cursor === undefined ? {} : { cursor }) });
  return `${peoplePath}?${fields.toString()}`;
}
