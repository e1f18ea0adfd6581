import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { keepSignIn, readPlace } from '../../../http/browser-sign-in.ts';
import { csrfField, requireCsrfToken } from '../../../http/csrf.ts';
import { markDevice } from '../../../http/device-cookie.ts';
import { limits } from '../../../http/limits.ts';
import { originOf, signInOriginOf } from '../../../http/origin.ts';
import { addPages } from '../../../http/pages/page-scope.ts';
import { sendReactPage } from '../../../http/pages/react-page.ts';
import { readUpstreamCookie, sendUpstreamCookie } from '../../../http/upstream-cookie.ts';
import { requestAccess } from '../../applications/index.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { createSignInWatch, registerUser } from '../../auth/index.ts';
import type { ProviderHost } from '../provider/provider-host.ts';
import { readLowered, requestedBudget } from './budget.ts';
import { buildPage, type PageRequest } from './build-page.ts';
import { goOn } from './go-on.ts';
import { grantConsent } from './grant-consent.ts';
import { hasAccessNow } from './has-access-now.ts';
import { endStep, findInteraction, readRequested, type OpenInteraction } from './interaction.ts';
import { problemNamed, problemOf } from './problem-of.ts';
import * as schemas from './schemas.ts';
import { leaveForProvider, returnFromProvider } from './providers-of.ts';
import { enterAtPage, readShown, type ShownAtPage } from './second-factor/enter-at-page.ts';
import { findFactorNow } from './second-factor/find-factor-now.ts';
import { addSecondFactorRoutes, sendSecondFactor, type StepTools } from './second-factor/routes.ts';

type Step = { ctx: Ctx; host: ProviderHost };

const path = '/interaction/:uid';

/** The pages between an authorization request and its answer. Every form is answered by 303. */
export function addInteractionRoutes(app: App, ctx: Ctx, host: ProviderHost): void {
  const step = { ctx, host };
  addPages(app, (pages) => {
    addShowRoute(pages, step);
    addSignInRoutes(pages, step);
    addSecondFactorRoutes(pages, toolsOf(step));
    addProviderRoutes(pages, step);
    addDecisionRoutes(pages, step);
    addConsentRoute(pages, step);
  });
}

function addShowRoute(pages: App, step: Step): void {
  const schema = { hide: true, params: schemas.stepParamsSchema, querystring: schemas.stepQuerySchema };
  pages.get(path, { schema }, async (request, reply) => {
    const open = await findOpen(step, request, reply);
    if (!open) return sendOver(reply);
    const isLetIn = await hasAccessNow(step.ctx, open);
    if (isLetIn) return reply.redirect(await endStep(step.ctx, open.interaction, {}), 303);
    const shown = await findFactorNow(step.ctx, open);
    if (shown) return reply.redirect(await goOn(step.ctx, open.interaction, shown), 303);
    const { step: asked, error } = request.query;
    if (asked === 'second-factor') return sendSecondFactor(step.ctx, request, reply, open);
    const instead = asked === 'sign-in' || asked === 'register' ? asked : undefined;
    return sendStep(step, request, reply, open, { instead, problem: problemNamed(error) });
  });
}

function addSignInRoutes(pages: App, step: Step): void {
  const { ctx } = step;
  const preHandler = requireCsrfToken(ctx);
  const limit = { ...limits.login, watch: createSignInWatch(ctx) };
  const common = { hide: true, params: schemas.stepParamsSchema };
  pages.post(
    `${path}/sign-in`,
    { preHandler, config: { limit }, schema: { ...common, body: schemas.signInFormSchema } },
    (request, reply) =>
      inStep(step, request, reply, request.body, async (open) => {
        if (request.body.decision === 'cancel') return endStep(ctx, open.interaction, denied);
        return signIn(step, request, reply, open, readShown(request.body));
      }),
  );
  pages.post(
    `${path}/register`,
    {
      preHandler,
      config: { limit: limits.register },
      schema: { ...common, body: schemas.registerFormSchema },
    },
    (request, reply) =>
      inStep(step, request, reply, { ...request.body, step: 'register' }, async (open) => {
        const { email, password, name, proof = '' } = request.body;
        const registration = { email, password, proof, ...(name ? { name } : {}) };
        await registerUser(ctx, registration, originOf(request));
        return signIn(step, request, reply, open, { email, password });
      }),
  );
}

/** Signing in elsewhere: there, and back again. */
function addProviderRoutes(pages: App, step: Step): void {
  const { ctx } = step;
  const config = { limit: limits.upstream };
  const params = schemas.providerStepParamsSchema;
  pages.get(`${path}/with/:provider`, { config, schema: { hide: true, params } }, async (request, reply) => {
    const open = await findOpen(step, request, reply);
    if (!open) return sendOver(reply);
    const browser = readUpstreamCookie(request);
    const beginning = await leaveForProvider(ctx, open, { name: request.params.provider, browser });
    sendUpstreamCookie(reply, beginning);
    return reply.redirect(beginning.url, 303);
  });
  const schema = { hide: true, params, querystring: schemas.providerDoneQuerySchema };
  pages.get(`${path}/with/:provider/done`, { config, schema }, (request, reply) =>
    inStep(step, request, reply, {}, async (open) => {
      const { provider: name } = request.params;
      markDevice(ctx, request, reply);
      const [browser, place] = [readUpstreamCookie(request), readPlace(ctx, request)];
      const returned = { name, code: request.query.code, browser, place };
      const result = await returnFromProvider(ctx, open, returned, signInOriginOf(request));
      if (!keepSignIn(ctx, reply, result)) return `/interaction/${open.interaction.uid}?step=second-factor`;
      return goOn(ctx, open.interaction, result);
    }),
  );
}

function addDecisionRoutes(pages: App, step: Step): void {
  const { ctx } = step;
  const preHandler = requireCsrfToken(ctx);
  const common = { hide: true, params: schemas.stepParamsSchema };
  pages.post(
    `${path}/choose-account`,
    { preHandler, schema: { ...common, body: schemas.decisionFormSchema } },
    (request, reply) =>
      inStep(step, request, reply, request.body, async ({ interaction }) => {
        if (request.body.decision === 'other-account') return otherAccountUrl(interaction.uid);
        const isChosen = request.body.decision === 'continue';
        return endStep(ctx, interaction, isChosen ? { select_account: {} } : denied);
      }),
  );
  pages.post(
    `${path}/request-access`,
    { preHandler, config: comesBack, schema: { ...common, body: schemas.requestAccessFormSchema } },
    (request, reply) =>
      inStep(step, request, reply, request.body, async ({ interaction, application }) => {
        const { decision, message } = request.body;
        if (decision === 'other-account') return otherAccountUrl(interaction.uid);
        const stepUrl = `/interaction/${interaction.uid}`;
        if (decision === 'look') return stepUrl;
        if (decision !== 'request') return endStep(ctx, interaction, denied);
        const asked = { applicationId: application.id, ...(message ? { message } : {}) };
        await requestAccess(ctx, callerOf(interaction), asked, originOf(request));
        return stepUrl;
      }),
  );
}

function addConsentRoute(pages: App, step: Step): void {
  const { ctx } = step;
  pages.post(
    `${path}/consent`,
    {
      preHandler: requireCsrfToken(ctx),
      config: comesBack,
      schema: { hide: true, params: schemas.stepParamsSchema, body: schemas.consentFormSchema },
    },
    (request, reply) =>
      inStep(step, request, reply, request.body, (open) =>
        decideConsent(ctx, open, request.body, originOf(request)),
      ),
  );
}

async function decideConsent(
  ctx: Ctx,
  { interaction, application }: OpenInteraction,
  form: schemas.ConsentForm,
  origin: RequestOrigin,
): Promise<string> {
  if (form.decision === 'other-account') return otherAccountUrl(interaction.uid);
  if (form.decision !== 'allow') return endStep(ctx, interaction, denied);
  const asked = requestedBudget(interaction);
  const budget = asked && readLowered(ctx, asked, form);
  const requested = await readRequested(ctx, interaction);
  await grantConsent(ctx, callerOf(interaction), application, { requested, budget }, origin);
  return endStep(ctx, interaction, { consent: {} });
}

const denied = { error: 'access_denied', error_description: 'The person did not agree.' };

function callerOf({ session }: OpenInteraction['interaction']): { userId: string; sessionId: string } {
  if (!session) throw new AppError('auth.session_ended');
  return { userId: session.accountId, sessionId: session.uid };
}

async function signIn(
  { ctx }: Step,
  request: FastifyRequest,
  reply: FastifyReply,
  { interaction }: OpenInteraction,
  shown: ShownAtPage,
): Promise<string> {
  markDevice(ctx, request, reply);
  const result = await enterAtPage(ctx, shown, readPlace(ctx, request), signInOriginOf(request));
  if (!keepSignIn(ctx, reply, result)) return `/interaction/${interaction.uid}?step=second-factor`;
  return goOn(ctx, interaction, result);
}

const otherAccountUrl = (uid: string) => `/interaction/${uid}?step=sign-in`;

/** Who was signed out meanwhile signs in again within the step. */
const comesBack = {
  signsInAt: (request: FastifyRequest) => otherAccountUrl((request.params as { uid: string }).uid),
};

const toolsOf = (step: Step): StepTools => ({
  ctx: step.ctx,
  findOpen: (request, reply) => findOpen(step, request, reply),
  sendStep: (request, reply, open, asked) => sendStep(step, request, reply, open, asked),
  sendOver,
});

/** Takes a form: goes on where the step leads, or shows the same page with what was wrong. */
async function inStep(
  step: Step,
  request: FastifyRequest,
  reply: FastifyReply,
  typed: Record<string, string | undefined>,
  take: (open: OpenInteraction) => Promise<string>,
): Promise<FastifyReply> {
  const open = await findOpen(step, request, reply);
  if (!open) return sendOver(reply);
  try {
    return reply.redirect(await take(open), 303);
  } catch (error) {
    const problem = problemOf(error);
    if (!problem || !(error instanceof AppError)) throw error;
    const isRegistration = typed['step'] === 'register';
    const instead = isRegistration ? 'register' : undefined;
    return sendStep(step, request, reply, open, { problem, typed, instead, status: error.status });
  }
}

function findOpen(
  { ctx, host }: Step,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<OpenInteraction | undefined> {
  const { uid } = request.params as { uid: string };
  return findInteraction(ctx, host.current(), { uid, request: request.raw, response: reply.raw });
}

async function sendStep(
  { ctx }: Step,
  request: FastifyRequest,
  reply: FastifyReply,
  open: OpenInteraction,
  { status = 200, ...asked }: Omit<PageRequest, 'hidden'> & { status?: number },
): Promise<FastifyReply> {
  const page = await buildPage(ctx, open, { ...asked, hidden: csrfField(ctx, request, reply) });
  const redirectUri = open.interaction.params['redirect_uri'];
  return sendReactPage(reply, page, {
    status,
    ...(typeof redirectUri === 'string' ? { redirectUri } : {}),
  });
}

function sendOver(reply: FastifyReply): Promise<FastifyReply> {
  const page = { name: 'notice', kind: 'interaction-over', application: null, continueUrl: null } as const;
  return sendReactPage(reply, page, { status: 400 });
}
