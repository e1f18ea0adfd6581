import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../../../../app.ts';
import type { Ctx } from '../../../../ctx.ts';
import { keepSignIn } from '../../../../http/browser-sign-in.ts';
import { csrfField, requireCsrfToken } from '../../../../http/csrf.ts';
import { limits } from '../../../../http/limits.ts';
import { originOf, signInOriginOf } from '../../../../http/origin.ts';
import { orAgain, type Again } from '../../../../http/pages/or-again.ts';
import { sendReactPage } from '../../../../http/pages/react-page.ts';
import { readChallengeCookie } from '../../../../http/second-factor-cookies.ts';
import { readSignInCookie, sendSignInCookie } from '../../../../http/sign-in-cookie.ts';
import { stepUp } from '../../../auth/index.ts';
import { toApplicationView } from '../../application-view.ts';
import { goOn } from '../go-on.ts';
import { endStep, type OpenInteraction } from '../interaction.ts';
import { problemOf } from '../problem-of.ts';
import * as schemas from '../schemas.ts';
import { buildSecondFactorPage } from './build-second-factor-page.ts';
import { readFactorProof, takeSecondFactor } from './take-second-factor.ts';

/** How a step finds its interaction, and shows where that has come to. */
export type StepTools = {
  ctx: Ctx;
  findOpen(request: FastifyRequest, reply: FastifyReply): Promise<OpenInteraction | undefined>;
  sendStep(
    request: FastifyRequest,
    reply: FastifyReply,
    open: OpenInteraction,
    refusal: Again,
  ): Promise<FastifyReply>;
  sendOver(reply: FastifyReply): Promise<FastifyReply>;
};

const path = '/interaction/:uid';
const common = { hide: true, params: schemas.stepParamsSchema };

/** The second step of signing in, and the second factor that an application wants. */
export function addSecondFactorRoutes(pages: App, step: StepTools): void {
  addSignInRoute(pages, step);
  addStepUpRoute(pages, step);
  addNeededRoute(pages, step);
}

function addSignInRoute(pages: App, step: StepTools): void {
  const { ctx } = step;
  const schema = { ...common, body: schemas.secondFactorFormSchema };
  pages.post(
    `${path}/second-factor`,
    { preHandler: requireCsrfToken(ctx), config: { limit: limits.secondFactor }, schema },
    async (request, reply) => {
      const open = await step.findOpen(request, reply);
      if (!open) return step.sendOver(reply);
      const take = async () => {
        const place = placeOf(ctx, request);
        const signedIn = await takeSecondFactor(ctx, request.body, place, signInOriginOf(request));
        keepSignIn(ctx, reply, signedIn);
        return reply.redirect(await goOn(ctx, open.interaction, signedIn), 303);
      };
      return orAgain(take, (refusal) => sendSecondFactor(ctx, request, reply, open, refusal), problemOf);
    },
  );
}

function addStepUpRoute(pages: App, step: StepTools): void {
  const { ctx } = step;
  const schema = { ...common, body: schemas.secondFactorFormSchema };
  pages.post(
    `${path}/step-up`,
    { preHandler: requireCsrfToken(ctx), config: { limit: limits.stepUp }, schema },
    async (request, reply) => {
      const open = await step.findOpen(request, reply);
      if (!open?.interaction.session) return step.sendOver(reply);
      const take = () => raise(ctx, request, reply, open, request.body);
      return orAgain(take, (refusal) => step.sendStep(request, reply, open, refusal), problemOf);
    },
  );
}

async function raise(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  { interaction }: OpenInteraction,
  form: schemas.SecondFactorForm,
): Promise<FastifyReply> {
  const caller = {
    userId: interaction.session?.accountId ?? '',
    sessionId: interaction.session?.uid ?? '',
  };
  const shown = { proof: readFactorProof(form), cookie: readSignInCookie(ctx.config, request) };
  const raised = await stepUp(ctx, caller, shown, originOf(request));
  if (raised.cookie) sendSignInCookie(ctx.config, reply, raised.cookie);
  const { userId } = caller;
  return reply.redirect(await goOn(ctx, interaction, { userId, amr: raised.amr }), 303);
}

function addNeededRoute(pages: App, step: StepTools): void {
  const { ctx } = step;
  const schema = { ...common, body: schemas.decisionFormSchema };
  pages.post(
    `${path}/factor-needed`,
    { preHandler: requireCsrfToken(ctx), schema },
    async (request, reply) => {
      const open = await step.findOpen(request, reply);
      if (!open) return step.sendOver(reply);
      const { uid } = open.interaction;
      if (request.body.decision === 'continue') return reply.redirect(`/interaction/${uid}`, 303);
      const denied = { error: 'access_denied', error_description: 'The person set up no second factor.' };
      return reply.redirect(await endStep(ctx, open.interaction, denied), 303);
    },
  );
}

/** The second step of signing in; from the beginning when it has had its time. */
export async function sendSecondFactor(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  { interaction, application }: OpenInteraction,
  refusal?: Again,
): Promise<FastifyReply> {
  const redirectUri = interaction.params['redirect_uri'];
  const url = `/interaction/${interaction.uid}`;
  const page = await buildSecondFactorPage(ctx, {
    challengeToken: readChallengeCookie(request),
    form: { action: `${url}/second-factor`, hidden: csrfField(ctx, request, reply) },
    backUrl: `${url}?step=sign-in`,
    application: toApplicationView(application, redirectUri),
    problem: refusal?.problem,
  });
  if (!page) return reply.redirect(`${url}?step=sign-in`, 303);
  const wayOut = typeof redirectUri === 'string' ? { redirectUri } : {};
  return sendReactPage(reply, page, { status: refusal?.status ?? 200, ...wayOut });
}

function placeOf(ctx: Ctx, request: FastifyRequest) {
  return { challengeToken: readChallengeCookie(request), cookie: readSignInCookie(ctx.config, request) };
}
