import { Type } from 'typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ConnectedPage } from '../../../../web/src/account-pages.ts';
import type { Problem } from '../../../../web/src/page.ts';
import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { listAccounts, readOwnAccount, startOwnLink, unlinkAccount } from '../../domains/auth/index.ts';
import { isErrorCode } from '../../errors.ts';
import { csrfField, requireCsrfToken } from '../csrf.ts';
import { limits } from '../limits.ts';
import { originOf } from '../origin.ts';
import { orAgain } from './or-again.ts';
import { connectedPath, forPageCaller, forPageReader } from './page-caller.ts';
import { addPages } from './page-scope.ts';
import { reactPageRoute, sendReactPage } from './react-page.ts';
import { problemOf } from './security-scope.ts';
import { unlessGone } from './unless-gone.ts';

const { schema } = reactPageRoute;
const text = Type.Optional(Type.String({ maxLength: 100 }));
const querystring = Type.Object({ done: text, error: text });
const accountParams = Type.Object({ id: Type.String({ format: 'uuid' }) });
const providerParams = Type.Object({ provider: Type.String({ maxLength: 32 }) });
const config = { limit: limits.upstream };

type Work = (caller: Caller) => Promise<FastifyReply>;

/** The page of the accounts at other providers that sign a person in: to connect them, and to disconnect. */
export function addConnectedPages(app: App, ctx: Ctx): void {
  const preHandler = requireCsrfToken(ctx);
  const forCaller = (request: FastifyRequest, reply: FastifyReply, work: Work) =>
    forPageCaller(ctx, request, reply, { next: connectedPath, work });
  addPages(app, (pages) => {
    pages.get(connectedPath, { schema: { ...schema, querystring } }, (request, reply) => {
      const { error } = request.query;
      const problem = error !== undefined && isErrorCode(error) ? { code: error } : null;
      return forPageReader(ctx, request, reply, {
        next: connectedPath,
        work: (caller) => show(ctx, request, reply, { caller, problem }),
      });
    });
    const connection = { preHandler, config, schema: { ...schema, params: providerParams } };
    pages.post(`${connectedPath}/connect/:provider`, connection, (request, reply) =>
      forCaller(request, reply, async (caller) => {
        const { label, url } = await startOwnLink(ctx, caller, request.params.provider, connectedPath);
        return sendReactPage(reply, { name: 'connect', provider: label, url, cancelUrl: connectedPath });
      }),
    );
    const removal = { preHandler, config, schema: { ...schema, params: accountParams } };
    pages.post(`${connectedPath}/:id/disconnect`, removal, (request, reply) =>
      forCaller(request, reply, (caller) => disconnect(ctx, request, reply, caller, request.params.id)),
    );
  });
}

/** The last way in stays, and the page says so. */
async function disconnect(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  caller: Caller,
  id: string,
): Promise<FastifyReply> {
  const take = async () => {
    await unlessGone(unlinkAccount(ctx, caller, id, originOf(request)));
    return reply.redirect(`${connectedPath}?done=disconnected`, 303);
  };
  return orAgain(take, (again) => show(ctx, request, reply, { caller, ...again }), problemOf);
}

async function show(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  { caller, problem, status = 200 }: { caller: Caller; problem: Problem | null; status?: number },
): Promise<FastifyReply> {
  const hidden = csrfField(ctx, request, reply);
  const formOf = (path: string) => ({ action: `${connectedPath}/${path}`, hidden });
  const accounts = await listAccounts(ctx, caller);
  const { done } = request.query as { done?: string };
  const page: ConnectedPage = {
    name: 'connected',
    account: await readOwnAccount(ctx, caller),
    connected: accounts.map(({ id, issuer, email, createdAt, lastUsedAt }) => {
      const provider = ctx.upstream.labelOf(issuer);
      return { id, provider, email, createdAt, lastUsedAt, removal: formOf(`${id}/disconnect`) };
    }),
    offers: ctx.upstream.providers.map(({ name, label }) => ({
      provider: label,
      form: formOf(`connect/${name}`),
    })),
    done: done === 'connected' || done === 'disconnected' ? done : null,
    problem,
  };
  return sendReactPage(reply, page, { status });
}
