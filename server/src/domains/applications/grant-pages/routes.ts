import { Type } from 'typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import type { Caller } from '../../../db/index.ts';
import { csrfField, requireCsrfToken } from '../../../http/csrf.ts';
import { originOf } from '../../../http/origin.ts';
import { forPageCaller, forPageReader } from '../../../http/pages/page-caller.ts';
import { addPages } from '../../../http/pages/page-scope.ts';
import { reactPageRoute, sendReactPage } from '../../../http/pages/react-page.ts';
import { revokeGrant } from '../grants/revoke-grant.ts';
import { buildAppsPage } from './build-apps-page.ts';

const path = '/account/apps';
const { schema } = reactPageRoute;
const querystring = Type.Object({ done: Type.Optional(Type.String({ maxLength: 20 })) });
const params = Type.Object({ id: Type.String({ format: 'uuid' }) });

/** The page of the applications that a person has let in, where they take that back. */
export function addGrantPages(app: App, ctx: Ctx): void {
  addPages(app, (pages) => {
    pages.get(path, { schema: { ...schema, querystring } }, (request, reply) =>
      forPageReader(ctx, request, reply, {
        next: path,
        work: (caller) => show(ctx, request, reply, caller),
      }),
    );
    const guarded = { preHandler: requireCsrfToken(ctx), schema: { ...schema, params } };
    pages.post(`${path}/:id/remove`, guarded, (request, reply) =>
      forPageCaller(ctx, request, reply, {
        next: path,
        work: async (caller) => {
          await revokeGrant(ctx, caller, request.params.id, originOf(request));
          return reply.redirect(`${path}?done=app-removed`, 303);
        },
      }),
    );
  });
}

async function show(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  caller: Caller,
): Promise<FastifyReply> {
  const { done } = request.query as { done?: string };
  const hidden = csrfField(ctx, request, reply);
  const page = await buildAppsPage(ctx, caller, { path, hidden, isRemoved: done === 'app-removed' });
  return sendReactPage(reply, page);
}
