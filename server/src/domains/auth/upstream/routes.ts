import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import type { ErrorCode } from '../../../errors.ts';
import { authenticate, callerOf } from '../../../http/authenticate.ts';
import { keepSignIn, readPlace } from '../../../http/browser-sign-in.ts';
import { markDevice } from '../../../http/device-cookie.ts';
import { limits } from '../../../http/limits.ts';
import { originOf, signInOriginOf } from '../../../http/origin.ts';
import { addPages, answerWithPageOrProblem } from '../../../http/pages/page-scope.ts';
import { readSignInCookie, sendSignInCookie } from '../../../http/sign-in-cookie.ts';
import { readUpstreamCookie, sendUpstreamCookie } from '../../../http/upstream-cookie.ts';
import { doneSchema } from '../schemas.ts';
import { beginUpstreamSignIn, callbackPathOf, type Beginning } from './begin-upstream-sign-in.ts';
import { chooseWay } from './choose-way.ts';
import { continuePath, continueUpstreamSignIn } from './continue-upstream-sign-in.ts';
import { finishUpstreamSignIn } from './finish-upstream-sign-in.ts';
import { leaveUpstream } from './leave-upstream.ts';
import { listAccounts } from './list-accounts.ts';
import { openLinkTicket, startLink } from './start-link.ts';
import * as schemas from './schemas.ts';
import { unlinkAccount } from './unlink-account.ts';

const open = { tags: ['auth'] };
const signedIn = { tags: ['auth'], security: [{ bearer: [] }] };
const limit = limits.upstream;

const refusals = {
  begin: [
    'auth.provider_unknown',
    'auth.return_not_allowed',
    'auth.upstream_unavailable',
    'auth.upstream_state',
    'auth.cookie_invalid',
  ],
  login: ['auth.provider_unknown', 'auth.return_not_allowed', 'auth.upstream_unavailable'],
  callback: ['auth.upstream_state'],
  link: ['auth.step_up_required', 'auth.provider_unknown', 'auth.return_not_allowed'],
  unlink: ['auth.step_up_required', 'request.not_found', 'auth.last_way_in'],
} satisfies Record<string, ErrorCode[]>;

/** Sign-in at other identity providers, and the accounts there that sign a person in. */
export function addUpstreamRoutes(app: App, ctx: Ctx): void {
  addPages(
    app,
    (pages) => {
      addBeginRoute(pages, ctx);
      addCallbackRoutes(pages, ctx);
      addContinueRoute(pages, ctx);
      addMoxieRoutes(pages, ctx);
    },
    answerWithPageOrProblem,
  );
  addAccountRoutes(app, ctx);
}

function addBeginRoute(pages: App, ctx: Ctx): void {
  const schema = {
    ...open,
    summary: 'Sign in at a provider',
    description:
      'To be opened in a browser: leads to the provider, and from there back. A front end gets a one-time `code`, which ' +
      '`/auth/session-to-token` exchanges, or an `error`.',
    params: schemas.providerParamsSchema,
    querystring: schemas.beginQuerySchema,
    response: { 302: schemas.redirectSchema },
  };
  pages.get(
    '/api/v1/auth/social/:provider',
    { config: { limit, refusals: refusals.begin }, schema },
    async (request, reply) => {
      const { provider: name } = request.params;
      const { ticket } = request.query;
      const provider = ctx.upstream.find(name);
      const cookie = readSignInCookie(ctx.config, request);
      const way = ticket
        ? await openLinkTicket(ctx, { ticket, name, cookie })
        : chooseWay(ctx, { ...request.query, callbackPath: callbackPathOf(name) });
      const browser = readUpstreamCookie(request);
      return sendAway(reply, await beginUpstreamSignIn(ctx, provider, { way, browser }));
    },
  );
}

function addCallbackRoutes(pages: App, ctx: Ctx): void {
  const common = {
    ...open,
    summary: 'Come back from a provider',
    description: 'Where providers send browsers to. Another one for those that answer with a form (Apple).',
    params: schemas.providerParamsSchema,
    response: { 303: schemas.redirectSchema },
  };
  const config = { limit, refusals: refusals.callback };
  const path = '/api/v1/auth/social/:provider/callback';
  pages.get(
    path,
    { config, schema: { ...common, querystring: schemas.callbackQuerySchema } },
    async (request, reply) =>
      comeBack(ctx, request, reply, callbackPathOf(request.params.provider), request.query),
  );
  pages.post(
    path,
    { config, schema: { ...common, body: schemas.callbackFormSchema } },
    async (request, reply) =>
      comeBack(ctx, request, reply, callbackPathOf(request.params.provider), request.body),
  );
}

/** Goes on with a sign-in at a provider after the second factor was shown here. */
function addContinueRoute(pages: App, ctx: Ctx): void {
  const schema = { hide: true, querystring: schemas.continueQuerySchema };
  pages.get(continuePath, { config: { limit }, schema }, async (request, reply) => {
    const [browser, cookie] = [readUpstreamCookie(request), readSignInCookie(ctx.config, request)];
    const waiting = { ticket: request.query.ticket, browser, cookie };
    return reply.redirect(await continueUpstreamSignIn(ctx, waiting, originOf(request)), 303);
  });
}

/** The redirect login of Moxie. */
function addMoxieRoutes(pages: App, ctx: Ctx): void {
  const callbackPath = '/api/callback';
  const login = {
    ...open,
    summary: 'Sign in at the default provider',
    description: 'To be opened in a browser; the provider is Auth0, or that of SOCIAL_DEFAULT.',
    querystring: schemas.loginQuerySchema,
    response: { 302: schemas.redirectSchema },
  };
  pages.get(
    '/api/v1/login',
    { config: { limit, refusals: refusals.login }, schema: login },
    async (request, reply) => {
      const way = chooseWay(ctx, { ...request.query, callbackPath, mayHandTokens: true });
      const browser = readUpstreamCookie(request);
      return sendAway(reply, await beginUpstreamSignIn(ctx, ctx.upstream.findDefault(), { way, browser }));
    },
  );

  const callback = { ...open, summary: 'Come back from the default provider' };
  const config = { limit, refusals: refusals.callback };
  const response = { 303: schemas.redirectSchema };
  pages.get(
    '/api/v1/callback',
    { config, schema: { ...callback, querystring: schemas.callbackQuerySchema, response } },
    async (request, reply) => comeBack(ctx, request, reply, callbackPath, request.query),
  );
  pages.post(
    '/api/v1/callback',
    { config, schema: { ...callback, body: schemas.callbackFormSchema, response } },
    async (request, reply) => comeBack(ctx, request, reply, callbackPath, request.body),
  );

  const logout = {
    ...open,
    summary: 'Sign out here and at the provider',
    description: 'To be opened in a browser: ends the session of its sign-in cookie.',
    querystring: schemas.logoutQuerySchema,
    response: { 302: schemas.redirectSchema },
  };
  pages.get(
    '/api/v1/logout',
    { config: { limit, refusals: ['auth.return_not_allowed'] }, schema: logout },
    async (request, reply) => {
      const cookie = readSignInCookie(ctx.config, request);
      const url = await leaveUpstream(ctx, { cookie, returnTo: request.query.returnTo }, originOf(request));
      sendSignInCookie(ctx.config, reply);
      return reply.redirect(url, 302);
    },
  );
}

function addAccountRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const providers = {
    ...open,
    summary: 'List identity providers',
    response: { 200: schemas.providersSchema },
  };
  app.get('/api/v1/auth/social', { schema: providers }, () => ({
    providers: ctx.upstream.providers.map(({ name, label }) => ({
      name,
      label,
      url: `${ctx.config.baseUrl}/api/v1/auth/social/${name}`,
    })),
  }));

  const link = {
    ...signedIn,
    summary: 'Connect an account',
    description:
      'Gives a link to the provider; who comes back from it can sign in there from then on. Both addresses must be confirmed.',
    params: schemas.providerParamsSchema,
    body: schemas.linkBodySchema,
    response: { 200: schemas.linkUrlSchema },
  };
  app.post(
    '/api/v1/auth/social/:provider/link',
    { preHandler, config: { limit, refusals: refusals.link }, schema: link },
    async (request) => {
      const { provider: name } = request.params;
      const way = chooseWay(ctx, { ...request.body, callbackPath: callbackPathOf(name), isLink: true });
      return { url: await startLink(ctx, callerOf(request), { name, way }) };
    },
  );

  const list = { ...signedIn, summary: 'List connected accounts', response: { 200: schemas.accountsSchema } };
  app.get('/api/v1/auth/accounts', { preHandler, schema: list }, async (request) => ({
    accounts: await listAccounts(ctx, callerOf(request)),
  }));

  const unlink = {
    ...signedIn,
    summary: 'Disconnect an account',
    description:
      'It signs nobody in any more. Needs a recent sign-in. The last way to sign in cannot be removed.',
    params: schemas.accountIdSchema,
    response: { 200: doneSchema },
  };
  app.delete(
    '/api/v1/auth/accounts/:id',
    { preHandler, config: { refusals: refusals.unlink }, schema: unlink },
    async (request) => {
      await unlinkAccount(ctx, callerOf(request), request.params.id, originOf(request));
      return { success: true as const, message: 'The account is disconnected.' };
    },
  );
}

function sendAway(reply: FastifyReply, beginning: Beginning): FastifyReply {
  sendUpstreamCookie(reply, beginning);
  return reply.redirect(beginning.url, 302);
}

/** What a provider sent along with the browser, by address or form. */
type Answer = Record<string, string | undefined>;

async function comeBack(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  callbackPath: string,
  given: Answer,
): Promise<FastifyReply> {
  const answer = new URLSearchParams();
  for (const [name, value] of Object.entries(given)) if (typeof value === 'string') answer.set(name, value);
  const browser = readUpstreamCookie(request);
  markDevice(ctx, request, reply);
  const callback = { callbackPath, answer, browser, place: readPlace(ctx, request) };
  const { url, result } = await finishUpstreamSignIn(ctx, callback, signInOriginOf(request));
  if (result) keepSignIn(ctx, reply, result);
  return reply.redirect(url, 303);
}
