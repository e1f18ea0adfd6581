import type { Ctx } from '../../../../ctx.ts';
import type { RequestOrigin } from '../../../audit/index.ts';
import {
  assertionSchema,
  enterBrowser,
  identifyByPasskey,
  readPasskeyField,
  signInBrowser,
  type BrowserSecondFactor,
  type BrowserSignIn,
} from '../../../auth/index.ts';

/** What was typed into the page for signing in, or what a passkey put there. */
export type ShownAtPage = { email: string; password: string } | { passkey: string };

/** Reads the form of a page for signing in. */
export function readShown(form: Partial<Record<'email' | 'password' | 'passkey', string>>): ShownAtPage {
  const { email = '', password = '', passkey = '' } = form;
  return passkey === '' ? { email, password } : { passkey };
}

/** What the browser brings along. */
export type Place = { cookie: string | undefined; deviceToken: string | undefined };

/** Takes the form of a page for signing in. Throws what `signInBrowser` and `identifyByPasskey` do. */
export async function enterAtPage(
  ctx: Ctx,
  shown: ShownAtPage,
  place: Place,
  origin: RequestOrigin,
): Promise<BrowserSignIn | BrowserSecondFactor> {
  if (!('passkey' in shown)) return signInBrowser(ctx, { credentials: shown, ...place }, origin);
  const answer = readPasskeyField(assertionSchema, shown.passkey);
  return enterBrowser(ctx, await identifyByPasskey(ctx, answer, origin), place, origin);
}
