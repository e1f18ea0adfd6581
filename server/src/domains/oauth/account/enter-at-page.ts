import type { FastifyRequest } from 'fastify';
import type { Ctx } from '../../../ctx.ts';
import { readPlace } from '../../../http/browser-sign-in.ts';
import { signInOriginOf } from '../../../http/origin.ts';
import {
  assertionSchema,
  enterBrowser,
  identifyByPasskey,
  readPasskeyField,
  signInBrowser,
  type BrowserSecondFactor,
  type BrowserSignIn,
} from '../../auth/index.ts';

/** What was typed into the page for signing in, or what a passkey put there. */
export type ShownAtPage = { email: string; password: string } | { passkey: string };

/** Takes the form of a page for signing in. Throws what `signInBrowser` and `identifyByPasskey` do. */
export async function enterAtPage(
  ctx: Ctx,
  request: FastifyRequest,
  shown: ShownAtPage,
): Promise<BrowserSignIn | BrowserSecondFactor> {
  const [place, origin] = [readPlace(ctx, request), signInOriginOf(request)];
  if (!('passkey' in shown)) return signInBrowser(ctx, { credentials: shown, ...place }, origin);
  const answer = readPasskeyField(assertionSchema, shown.passkey);
  return enterBrowser(ctx, await identifyByPasskey(ctx, answer, origin), place, origin);
}
