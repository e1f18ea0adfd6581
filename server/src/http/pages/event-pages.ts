import { Type } from 'typebox';
import type { EventRow, EventsPage } from '../../../../web/src/account-pages.ts';
import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import { describeDevice, readOwnAccount, readOwnTrail } from '../../domains/auth/index.ts';
import { forPageReader } from './page-caller.ts';
import { addPages } from './page-scope.ts';
import { reactPageRoute, sendReactPage } from './react-page.ts';

const path = '/account/events';
const shownMax = 30;
const { schema } = reactPageRoute;
const querystring = Type.Object({ before: Type.Optional(Type.String({ format: 'uuid' })) });

/** The page of what happened to a person's account. */
export function addEventPages(app: App, ctx: Ctx): void {
  addPages(app, (pages) => {
    pages.get(path, { schema: { ...schema, querystring } }, (request, reply) =>
      forPageReader(ctx, request, reply, {
        next: path,
        work: async (caller) => {
          const { before: cursor } = request.query;
          const query = { limit: shownMax, offset: 0, ...(cursor === undefined ? {} : { cursor }) };
          const { events, nextCursor } = await readOwnTrail(ctx, caller, query);
          const page: EventsPage = {
            name: 'events',
            account: await readOwnAccount(ctx, caller),
            events: events.map((event) => toRow(ctx, event)),
            olderUrl: nextCursor === null ? null : `${path}?before=${nextCursor}`,
            newestUrl: cursor === undefined ? null : path,
          };
          return sendReactPage(reply, page);
        },
      }),
    );
  });
}

type Event = Awaited<ReturnType<typeof readOwnTrail>>['events'][number];

function toRow(ctx: Ctx, { id, type, details, ipAddress, userAgent, createdAt }: Event): EventRow {
  const about = aboutOf(ctx, type, details as Record<string, unknown>);
  return { id, type, about, device: describeDevice(undefined, userAgent), ipAddress, createdAt };
}

/** What the type alone does not say and a person understands. */
function aboutOf(ctx: Ctx, type: string, { reason, provider }: Record<string, unknown>): string | null {
  if (type === 'impersonation.started' && typeof reason === 'string') return reason;
  const isConnection = type === 'account.linked' || type === 'account.unlinked';
  return isConnection && typeof provider === 'string' ? ctx.upstream.labelOf(provider) : null;
}
