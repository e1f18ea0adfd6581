import type { Client, ErrorOut, errors, KoaContextWithOIDC } from 'oidc-provider';
import type { AccountView, ApplicationView, Page } from '../../../../../web/src/page.ts';
import type { Ctx } from '../../../ctx.ts';
import { findClient } from '../../applications/index.ts';
import { findUser } from '../../users/index.ts';
import { toApplicationView } from '../application-view.ts';
import { currentExchange, inExchange } from '../exchange.ts';

type Context = KoaContextWithOIDC;

/** Lets a page be the answer to the request at hand, with the status that the library chose. */
function showPage(context: Context, page: Page, status = context.status, redirectUri?: string): void {
  const exchange = currentExchange();
  if (!exchange) throw new Error('a page is shown outside of a request');
  context.respond = false;
  exchange.answer = { page, status, ...(redirectUri === undefined ? {} : { redirectUri }) };
}

/** What went wrong, for the person before the screen and for the developers of the application. */
export async function showError(
  context: Context,
  out: ErrorOut,
  error: errors.OIDCProviderError | Error,
): Promise<void> {
  const detail = 'error_detail' in error ? error.error_detail : undefined;
  const forDevelopers = [out.error_description, detail].filter(Boolean).join(': ');
  const page: Page = {
    name: 'error',
    status: context.status,
    code: out.error,
    requestId: currentExchange()?.requestId ?? '',
    ...(out.error === 'server_error' || forDevelopers === '' ? {} : { forDevelopers }),
    links: [],
  };
  showPage(context, page);
}

/** Where a person types in the code that their device shows; again when it was not right. */
export async function showDeviceCode(context: Context, error: Error | undefined): Promise<void> {
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

/** Asks whether the person wants to be signed out here, too. @see OpenID Connect RP-Initiated Logout 1.0 §2 */
export async function showSignOut(ctx: Ctx, context: Context): Promise<void> {
  const application = await viewOf(ctx, context.oidc.client);
  const account = await accountOf(ctx, context.oidc.session?.accountId);
  const form = { action: '/logout/confirm', hidden: { xsrf: secretOf(context) } };
  const { post_logout_redirect_uri: redirectUri } = context.oidc.params ?? {};
  const page: Page = { name: 'sign-out', form, application, account };
  showPage(context, page, context.status, typeof redirectUri === 'string' ? redirectUri : undefined);
}

/** Says that the person is signed out. */
export async function showSignedOut(ctx: Ctx, context: Context): Promise<void> {
  const application = await viewOf(ctx, context.oidc.client);
  showPage(context, { name: 'signed-out', application, signInUrl: '/sign-in' }, 200);
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

function secretOf({ oidc }: Context): string {
  const { state } = oidc.session ?? {};
  return String((state as { secret?: string } | undefined)?.secret ?? '');
}

async function viewOf(ctx: Ctx, client: Client | undefined): Promise<ApplicationView | null> {
  if (!client) return null;
  const application = await inExchange(ctx, (tx) => findClient(tx, client.clientId));
  return application ? toApplicationView(application) : null;
}

async function accountOf(ctx: Ctx, userId: string | undefined): Promise<AccountView | null> {
  if (userId === undefined) return null;
  const user = await inExchange(ctx, (tx) => findUser(tx, userId));
  return user ? { email: user.email, name: user.name } : null;
}
