import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../../../../app.ts';
import type { Ctx } from '../../../../ctx.ts';
import { keepSignIn } from '../../../../http/browser-sign-in.ts';
import { csrfField, requireCsrfToken } from '../../../../http/csrf.ts';
import { limits } from '../../../../http/limits.ts';
import { signInOriginOf } from '../../../../http/origin.ts';
import { orAgain, type Again } from '../../../../http/pages/or-again.ts';
import { sendReactPage } from '../../../../http/pages/react-page.ts';
import { readChallengeCookie } from '../../../../http/second-factor-cookies.ts';
import { readSignInCookie } from '../../../../http/sign-in-cookie.ts';
import { problemOf } from '../../interactions/problem-of.ts';
import { secondFactorFormSchema, type SecondFactorForm } from '../../interactions/schemas.ts';
import { buildSecondFactorPage } from '../../interactions/second-factor/build-second-factor-page.ts';
import { takeSecondFactor } from '../../interactions/second-factor/take-second-factor.ts';
import { readNext, withNext } from '../read-next.ts';
import { nextQuerySchema } from '../schemas.ts';

const path = '/sign-in/second-factor';
const query = { hide: true, querystring: nextQuerySchema };

/** The second step of signing in on the page of its own. */
export function addSecondFactorPage(pages: App, ctx: Ctx): void {
  pages.get(path, { schema: query }, (request, reply) => show(ctx, request, reply));
  pages.post(
    path,
    {
      preHandler: requireCsrfToken(ctx),
      config: { limit: limits.secondFactor },
      schema: { ...query, body: secondFactorFormSchema },
    },
    (request, reply) => finish(ctx, request, reply, request.body),
  );
}

async function finish(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  form: SecondFactorForm,
): Promise<FastifyReply> {
  const cookie = readSignInCookie(ctx.config, request);
  const place = { challengeToken: readChallengeCookie(request), cookie };
  const take = async () => {
    keepSignIn(ctx, reply, await takeSecondFactor(ctx, form, place, signInOriginOf(request)));
    return reply.redirect(nextOf(request) ?? '/sign-in?done', 303);
  };
  return orAgain(take, (refusal) => show(ctx, request, reply, refusal), problemOf);
}

async function show(
  ctx: Ctx,
  request: FastifyRequest,
  reply: FastifyReply,
  refusal?: Again,
): Promise<FastifyReply> {
  const next = nextOf(request);
  const backUrl = withNext('/sign-in', next);
  const page = await buildSecondFactorPage(ctx, {
    challengeToken: readChallengeCookie(request),
    form: { action: withNext(path, next), hidden: csrfField(ctx, request, reply) },
    backUrl,
    application: null,
    problem: refusal?.problem,
  });
  if (!page) return reply.redirect(backUrl, 303);
  return sendReactPage(reply, page, { status: refusal?.status ?? 200 });
}

function nextOf(request: FastifyRequest): string | undefined {
  return readNext((request.query as { next?: string }).next);
}
