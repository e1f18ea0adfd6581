import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { allowedOrigins } from '../../../http/cors.ts';
import { ownPathOf } from '../../../lib/own-path.ts';

/** Where a browser may be sent in the end. */
export type ReturnTo = {
  /** A path of this service, or a whole address of a front end. */
  address: string;
  isFrontEnd: boolean;
};

const ownPage = { address: '/sign-in?done', isFrontEnd: false };

/**
 * Checks where a front end wants its people back: at a path of this service, or anywhere at an origin that
 * the settings allow. Without a wish, at FRONTEND_URL or APP_URL. Throws `auth.return_not_allowed`.
 * @see RFC 9700 §4.11.2 (open redirectors)
 */
export function resolveReturnTo(ctx: Ctx, wished: string | undefined): ReturnTo {
  const { baseUrl, appUrl, frontendUrl } = ctx.config;
  const ownOrigin = new URL(baseUrl).origin;
  if (wished === undefined) {
    const address = frontendUrl || appUrl;
    return new URL(address).origin === ownOrigin ? ownPage : { address, isFrontEnd: true };
  }
  const isPath = /^\/(?![/\\])[^\\\p{Cc}]*$/u.test(wished);
  const url = URL.canParse(wished, isPath ? ownOrigin : undefined)
    ? new URL(wished, isPath ? ownOrigin : undefined)
    : undefined;
  if (url?.origin === ownOrigin) {
    const address = ownPathOf(url);
    if (address === undefined) throw new AppError('auth.return_not_allowed');
    return { address, isFrontEnd: false };
  }
  const allowed = allowedOrigins(ctx.config).add(new URL(appUrl).origin);
  const isPlain = url !== undefined && url.username === '' && url.password === '';
  if (!isPlain || !allowed.has(url.origin)) throw new AppError('auth.return_not_allowed');
  return { address: url.href, isFrontEnd: true };
}
