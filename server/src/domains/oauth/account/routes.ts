import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import type { Problem } from '../../../../../web/src/page.ts';
import { keepSignIn, readPlace } from '../../../http/browser-sign-in.ts';
import { csrfField, requireCsrfToken } from '../../../http/csrf.ts';
import { markDevice } from '../../../http/device-cookie.ts';
import { limits } from '../../../http/limits.ts';
import { originOf, signInOriginOf } from '../../../http/origin.ts';
import { sendLookingCookie } from '../../../http/pages/looking.ts';
import { findPageCaller } from '../../../http/pages/page-caller.ts';
import { orAgain } from '../../../http/pages/or-again.ts';
import { addPages } from '../../../http/pages/page-scope.ts';
import { sendReactPage } from '../../../http/pages/react-page.ts';
import { sendSignInCookie } from '../../../http/sign-in-cookie.ts';
import { readUpstreamCookie, sendUpstreamCookie } from '../../../http/upstream-cookie.ts';
import {
  beginPasswordless,
  beginUpstreamSignIn,
  callbackPathOf,
  challengeView,
  createSignInWatch,
  logOut,
  readOwnAccount,
  registerUser,
  type Way,
} from '../../auth/index.ts';
import { problemNamed, problemOf } from '../interactions/problem-of.ts';
import { registerFormSchema, signInFormSchema } from '../interactions/schemas.ts';
import { providersOf } from '../interactions/providers-of.ts';
import { addBudgetRoutes } from './budgets/routes.ts';
import { enterAtPage, readShown, type ShownAtPage } from '../interactions/second-factor/enter-at-page.ts';
import { readNext, withNext } from './read-next.ts';
import * as schemas from './schemas.ts';
import { addSecondFactorPage } from './second-factor/routes.ts';

const hide = true;

/** Pages that stand on their own: sign in, register, sign out, and change what an application may spend. */
export function addAccountRoutes(app: App, ctx: Ctx): void {
  addPages(app, (pages) => {
    addSignInPage(pages, ctx);
    addSecondFactorPage(pages, ctx);
    addProviderPage(pages, ctx);
    addRegisterPage(pages, ctx);
    addSignOutPage(pages, ctx);
    addBudgetRoutes(pages, ctx);
  });
}

type Typed = { email?: string; name?: string; problem?: Problem; status?: number };

function addSignInPage(pages: App, ctx: Ctx): void {
  const limit = { ...limits.login, watch: createSignInWatch(ctx) };
  const show = async (request: FastifyRequest, reply: FastifyReply, typed: Typed = {}) => {
    const next = nextOf(request);
    const form = { action: withNext('/sign-in', next), hidden: csrfField(ctx, request, reply) };
    const page = {
      name: 'sign-in' as const,
      form,
      passkey: { form, options: await beginPasswordless(ctx) },
      application: null,
      email: typed.email ?? '',
      reason: 'first' as const,
      registerUrl: withNext('/register', next),
      forgotPasswordUrl: '/forgot-password',
      providers: providersOf(ctx, '/sign-in', withNext('', next)),
      canCancel: false,
      problem: typed.problem ?? null,
    };
    return sendReactPage(reply, page, { status: typed.status ?? 200 });
  };
  const query = { hide, querystring: schemas.nextQuerySchema };
  pages.get('/sign-in', { schema: query }, (request, reply) =>
    request.query.done === undefined
      ? show(request, reply, typedAfter(request.query.error))
      : sendSignedIn(reply),
  );
  pages.post(
    '/sign-in',
    {
      preHandler: requireCsrfToken(ctx),
      config: { limit },
      schema: { ...query, body: signInFormSchema },
    },
    async (request, reply) => {
      const { email = '' } = request.body;
      const take = () => signIn(ctx, request, reply, readShown(request.body));
      return orAgain(take, (refusal) => show(request, reply, { ...refusal, email }), problemOf);
    },
  );
}

/** Leads from the sign-in page to another place at which to sign in, and from there to where it led on. */
function addProviderPage(pages: App, ctx: Ctx): void {
  const schema = { hide, params: schemas.providerParamsSchema, querystring: schemas.nextQuerySchema };
  const config = { limit: limits.upstream };
  pages.get('/sign-in/with/:provider', { config, schema }, async (request, reply) => {
    const { provider: name } = request.params;
    const browser = readUpstreamCookie(request);
    const way = wayWith(name, nextOf(request));
    const beginning = await beginUpstreamSignIn(ctx, ctx.upstream.find(name), { way, browser });
    sendUpstreamCookie(reply, beginning);
    return reply.redirect(beginning.url, 303);
  });
}

function wayWith(name: string, next: string | undefined): Way {
  return {
    callbackPath: callbackPathOf(name),
    returnTo: next ?? '/sign-in?done',
    failTo: withNext('/sign-in', next),
    handsOver: 'nothing',
  };
}

function addRegisterPage(pages: App, ctx: Ctx): void {
  const show = (request: FastifyRequest, reply: FastifyReply, typed: Typed = {}) => {
    const next = nextOf(request);
    const page = {
      name: 'register' as const,
      form: { action: withNext('/register', next), hidden: csrfField(ctx, request, reply) },
      application: null,
      email: typed.email ?? '',
      typedName: typed.name ?? '',
      signInUrl: withNext('/sign-in', next),
      challenge: challengeView(ctx),
      providers: providersOf(ctx, '/sign-in', withNext('', next)),
      problem: typed.problem ?? null,
    };
    return sendReactPage(reply, page, { status: typed.status ?? 200 });
  };
  const query = { hide, querystring: schemas.nextQuerySchema };
  pages.get('/register', { schema: query }, (request, reply) => show(request, reply));
  const preHandler = requireCsrfToken(ctx);
  const schema = { ...query, body: registerFormSchema };
  pages.post(
    '/register',
    { preHandler, config: { limit: limits.register }, schema },
    async (request, reply) => {
      const { email, password, name, proof = '' } = request.body;
      const named = name ? { name } : {};
      const take = async () => {
        await registerUser(ctx, { email, password, proof, ...named }, originOf(request));
        return signIn(ctx, request, reply, { email, password });
      };
      return orAgain(take, (refusal) => show(request, reply, { ...refusal, email, ...named }), problemOf);
    },
  );
}

function addSignOutPage(pages: App, ctx: Ctx): void {
  const query = { hide, querystring: schemas.nextQuerySchema };
  pages.get('/sign-out', { schema: query }, async (request, reply) => {
    const caller = request.query.done === undefined ? await findPageCaller(ctx, request) : undefined;
    if (!caller) {
      const page = { name: 'signed-out', application: null, signInUrl: '/sign-in' } as const;
      return sendReactPage(reply, page);
    }
    const form = { action: '/sign-out', hidden: csrfField(ctx, request, reply) };
    const account = await readOwnAccount(ctx, caller);
    return sendReactPage(reply, { name: 'sign-out', form, application: null, account });
  });
  pages.post(
    '/sign-out',
    { preHandler: requireCsrfToken(ctx), schema: { hide, body: schemas.decisionSchema } },
    async (request, reply) => {
      if (request.body.decision !== 'sign-out') return reply.redirect('/sign-in?done', 303);
      const caller = await findPageCaller(ctx, request);
      if (caller) await logOut(ctx, caller, originOf(request));
      sendSignInCookie(ctx.config, reply);
      sendLookingCookie(reply);
      return reply.redirect('/sign-out?done', 303);
    },
  );
}

async function signIn(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  shown: ShownAtPage,
): Promise<FastifyReply> {
  markDevice(ctx, request, reply);
  const result = await enterAtPage(ctx, shown, readPlace(ctx, request), signInOriginOf(request));
  const next = nextOf(request);
  if (!keepSignIn(ctx, reply, result)) return reply.redirect(withNext('/sign-in/second-factor', next), 303);
  return reply.redirect(next ?? '/sign-in?done', 303);
}

function sendSignedIn(reply: FastifyReply): Promise<FastifyReply> {
  const page = { name: 'notice', kind: 'signed-in', application: null, continueUrl: null } as const;
  return sendReactPage(reply, page);
}

/** The form as it comes again after a sign-in elsewhere has failed. */
function typedAfter(error: string | undefined): Typed {
  const problem = problemNamed(error);
  return problem ? { problem } : {};
}

function nextOf(request: FastifyRequest): string | undefined {
  return readNext((request.query as { next?: string }).next);
}
