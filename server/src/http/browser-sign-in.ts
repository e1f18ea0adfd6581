import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Ctx } from '../ctx.ts';
import type { BrowserSecondFactor, BrowserSignIn } from '../domains/auth/index.ts';
import { readRememberedCookie, sendChallengeCookie, sendRememberedCookie } from './second-factor-cookies.ts';
import { readSignInCookie, sendSignInCookie } from './sign-in-cookie.ts';

/** What a browser brings along to a sign-in. */
export function readPlace(
  ctx: Ctx,
  request: FastifyRequest,
): { cookie: string | undefined; deviceToken: string | undefined } {
  return { cookie: readSignInCookie(ctx.config, request), deviceToken: readRememberedCookie(request) };
}

/**
 * Has the browser keep what came of a sign-in: its cookie, or the challenge for the second step. Whether it
 * is done.
 */
export function keepSignIn(
  ctx: Ctx,
  reply: FastifyReply,
  result: BrowserSignIn | BrowserSecondFactor,
): result is BrowserSignIn {
  if (result.outcome === 'second_factor') {
    const { challengeToken, expiresIn } = result.challenge;
    sendChallengeCookie(reply, { value: challengeToken, ttlSeconds: expiresIn });
    return false;
  }
  sendSignInCookie(ctx.config, reply, result.cookie);
  sendChallengeCookie(reply);
  if (result.remembered) sendRememberedCookie(reply, result.remembered);
  return true;
}
