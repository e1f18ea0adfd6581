import type { Client, KoaContextWithOIDC } from 'oidc-provider';
import type { ApplicationView, Page } from '../../../../../web/src/page.ts';
import type { Ctx } from '../../../ctx.ts';
import { currentExchange } from '../exchange.ts';
import { secretOf, showPage, viewOf } from './show-page.ts';

type Context = KoaContextWithOIDC;

/** Where a person types in the code that their device shows; again when it was not right. */
export async function showDeviceCode(context: Context, error: Error | undefined): Promise<void> {
  if (error && isStranger(context)) return showUnknownForm(context);
  const isAborted = error?.name === 'AbortedError';
  const page: Page = isAborted
    ? { name: 'device-done', application: null, outcome: 'denied' }
    : {
        name: 'device-code',
        form: { action: '/device', hidden: { xsrf: secretOf(context) } },
        userCode: currentExchange()?.userCode ?? typedCode(error),
        problem: error ? { code: 'device.code_unknown', field: 'user_code' } : null,
      };
  showPage(context, page, error && !isAborted ? 400 : 200);
}

/** A browser that brings back a form without the session or state it was sent with. */
function isStranger({ oidc }: Context): boolean {
  return oidc.session !== undefined && oidc.session.exp === undefined;
}

/**
 * The library means to renew what it never stored, and would fail: there is nothing to keep of this
 * session.
 */
function showUnknownForm(context: Context): void {
  Object.assign(context.oidc.session ?? {}, { touched: false });
  const requestId = currentExchange()?.requestId ?? '';
  showPage(context, { name: 'error', status: 400, code: 'request.csrf', requestId, links: [] }, 400);
}

function typedCode(error: Error | undefined): string {
  const { userCode } = (error ?? {}) as { userCode?: unknown };
  return typeof userCode === 'string' ? userCode : '';
}

/** Asks whether the device before the person shows this very code. @see RFC 8628 §5.4 */
export async function showDeviceConfirm(
  ctx: Ctx,
  context: Context,
  client: Client,
  userCode: string,
): Promise<void> {
  const application = await viewOf(ctx, client);
  const hidden = { xsrf: secretOf(context), user_code: userCode };
  showPage(context, {
    name: 'device-confirm',
    form: { action: '/device', hidden },
    application: application ?? nobody,
    userCode,
  });
}

/** Says that the device goes on by itself. */
export async function showDeviceDone(ctx: Ctx, context: Context): Promise<void> {
  const application = await viewOf(ctx, context.oidc.client);
  showPage(context, { name: 'device-done', application, outcome: 'connected' }, 200);
}

const nobody: ApplicationView = {
  name: '',
  logoUrl: null,
  homeUrl: null,
  policyUrl: null,
  termsUrl: null,
  isVerified: false,
  host: null,
};
