import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Problem } from '../../../../../web/src/page.ts';
import type { App } from '../../../app.ts';
import { AppError } from '../../../errors.ts';
import { keepSignIn } from '../../../http/browser-sign-in.ts';
import { requireCsrfToken } from '../../../http/csrf.ts';
import { limits } from '../../../http/limits.ts';
import { originOf } from '../../../http/origin.ts';
import { sendReactPage } from '../../../http/pages/react-page.ts';
import { readSignInCookie, sendSignInCookie } from '../../../http/sign-in-cookie.ts';
import { stepUp } from '../../auth/index.ts';
import { buildSecondFactorPage, readFactorProof, takeSecondFactor } from '../account/second-factor-page.ts';
import { toApplicationView } from '../application-view.ts';
import { endStep, type OpenInteraction } from './interaction.ts';
import { problemOf } from './problem-of.ts';
import * as schemas from './schemas.ts';
import { findOpen, goOn, otherAccountUrl, sendOver, sendStep, type Step } from './steps.ts';

const path = '/interaction/:uid';
const common = { hide: true, params: schemas.stepParamsSchema };

/** The second step of signing in, and the second factor that an application wants. */
export function addSecondFactorRoutes(pages: App, step: Step): void {
  addSignInRoute(pages, step);
  addStepUpRoute(pages, step);
  addNeededRoute(pages, step);
}

function addSignInRoute(pages: App, step: Step): void {
  const { ctx } = step;
  const schema = { ...common, body: schemas.secondFactorFormSchema };
  pages.post(
    `${path}/second-factor`,
    { preHandler: requireCsrfToken(ctx), config: { limit: limits.secondFactor }, schema },
    async (request, reply) => {
      const open = await findOpen(step, request, reply);
      if (!open) return sendOver(reply);
      try {
        const signedIn = await takeSecondFactor(ctx, request, request.body);
        keepSignIn(ctx, reply, signedIn);
        return reply.redirect(await goOn(ctx, open.interaction, signedIn), 303);
      } catch (error) {
        const problem = problemOf(error);
        if (!problem || !(error instanceof AppError)) throw error;
        return sendSecondFactor(step, request, reply, open, { problem, status: error.status });
      }
    },
  );
}

function addStepUpRoute(pages: App, step: Step): void {
  const { ctx } = step;
  const schema = { ...common, body: schemas.secondFactorFormSchema };
  pages.post(
    `${path}/step-up`,
    { preHandler: requireCsrfToken(ctx), config: { limit: limits.stepUp }, schema },
    async (request, reply) => {
      const open = await findOpen(step, request, reply);
      const session = open?.interaction.session;
      if (!open || !session) return sendOver(reply);
      const caller = { userId: session.accountId, sessionId: session.uid };
      const cookie = readSignInCookie(ctx.config, request);
      try {
        const proof = readFactorProof(request.body);
        const raised = await stepUp(ctx, caller, { proof, cookie }, originOf(request));
        if (raised.cookie) sendSignInCookie(ctx.config, reply, raised.cookie);
        const { userId } = caller;
        return reply.redirect(await goOn(ctx, open.interaction, { userId, amr: raised.amr }), 303);
      } catch (error) {
        const problem = problemOf(error);
        if (!problem || !(error instanceof AppError)) throw error;
        return sendStep(step, request, reply, open, { problem, status: error.status });
      }
    },
  );
}

function addNeededRoute(pages: App, step: Step): void {
  const { ctx } = step;
  const schema = { ...common, body: schemas.decisionFormSchema };
  pages.post(
    `${path}/factor-needed`,
    { preHandler: requireCsrfToken(ctx), schema },
    async (request, reply) => {
      const open = await findOpen(step, request, reply);
      if (!open) return sendOver(reply);
      const { uid } = open.interaction;
      if (request.body.decision === 'continue') return reply.redirect(`/interaction/${uid}`, 303);
      const denied = { error: 'access_denied', error_description: 'The person set up no second factor.' };
      return reply.redirect(await endStep(ctx, open.interaction, denied), 303);
    },
  );
}

/** The second step of signing in; from the beginning when it has had its time. */
export async function sendSecondFactor(
  { ctx }: Step,
  request: FastifyRequest,
  reply: FastifyReply,
  { interaction, application }: OpenInteraction,
  { problem, status = 200 }: { problem?: Problem; status?: number } = {},
): Promise<FastifyReply> {
  const redirectUri = interaction.params['redirect_uri'];
  const backUrl = otherAccountUrl(interaction.uid);
  const page = await buildSecondFactorPage(ctx, request, reply, {
    action: `/interaction/${interaction.uid}/second-factor`,
    backUrl,
    application: toApplicationView(application, redirectUri),
    problem,
  });
  if (!page) return reply.redirect(backUrl, 303);
  const wayOut = typeof redirectUri === 'string' ? { redirectUri } : {};
  return sendReactPage(reply, page, { status, ...wayOut });
}
