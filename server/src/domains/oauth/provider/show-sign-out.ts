import type { KoaContextWithOIDC } from 'oidc-provider';
import type { AccountView, Page } from '../../../../../web/src/page.ts';
import type { Ctx } from '../../../ctx.ts';
import { findUser } from '../../users/index.ts';
import { inExchange } from '../exchange.ts';
import { secretOf, showPage, viewOf } from './show-page.ts';

type Context = KoaContextWithOIDC;

/**
 * Asks whether the person wants to be signed out here, too. @see OpenID Connect RP-Initiated Logout 1.0 §2
 */
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

async function accountOf(ctx: Ctx, userId: string | undefined): Promise<AccountView | null> {
  if (userId === undefined) return null;
  const user = await inExchange(ctx, (tx) => findUser(tx, userId));
  return user ? { email: user.email, name: user.name } : null;
}
