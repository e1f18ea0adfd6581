import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import { AppError, type ErrorCode } from '../../../errors.ts';
import { limits } from '../../../http/limits.ts';
import { originOf, signInOriginOf } from '../../../http/origin.ts';
import { sendSignInCookie } from '../../../http/sign-in-cookie.ts';
import { answerSignIn } from '../log-in.ts';
import { addressBody, done, tokenBody } from '../recovery/schemas.ts';
import { doneSchema, signInAnswerSchema } from '../schemas.ts';
import { signInPerson } from '../sign-in/sign-in-person.ts';
import { identifyByLink } from './identify-by-link.ts';
import { requestMagicLink } from './request-magic-link.ts';

const open = { tags: ['auth'], security: [] };

/** Signing in by a link in a mail. */
export function addMagicLinkRoutes(app: App, ctx: Ctx): void {
  const requestSchema = {
    ...open,
    summary: 'Ask for a link that signs in',
    description: 'The answer, and its time, are the same whether or not the address has an account.',
    body: addressBody,
    response: { 200: doneSchema },
  };
  app.post(
    '/api/v1/auth/magic-link',
    { config: { limit: limits.magicLink }, schema: requestSchema },
    async (request) => {
      await requestMagicLink(ctx, request.body, originOf(request));
      return done('If the address has an account, a mail is on its way.');
    },
  );

  const verifySchema = {
    ...open,
    summary: 'Sign in by a link',
    description:
      'It works once, for fifteen minutes. A second factor is asked for as ever. An address that nobody had confirmed ' +
      'is confirmed by it; password, sessions, API keys and consents of whoever registered it are void then.',
    body: tokenBody,
    response: { 200: signInAnswerSchema },
  };
  const refusals: ErrorCode[] = ['auth.link_invalid'];
  app.post(
    '/api/v1/auth/magic-link/verify',
    { config: { limit: limits.openMagicLink, refusals }, schema: verifySchema },
    async (request, reply) => {
      const origin = signInOriginOf(request);
      const person = await identifyByLink(ctx, request.body.token, origin);
      const result = await signInPerson(ctx, person, {}, origin);
      if (result.outcome === 'refused') throw new AppError('auth.link_invalid');
      const answer = await answerSignIn(ctx, result);
      if ('twoFactorRequired' in answer) return answer;
      sendSignInCookie(ctx.config, reply, answer.cookie);
      return answer.tokens;
    },
  );
}
