import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Ctx } from './ctx.ts';
import { addApiKeyPages, addApiKeyRoutes } from './domains/api-keys/index.ts';
import {
  addAccessRequestRoutes,
  addApplicationRoutes,
  addGrantPages,
  addGrantRoutes,
  addRequestPages,
} from './domains/applications/index.ts';
import { addAuditRoutes } from './domains/audit/index.ts';
import {
  addAuthAdministrationRoutes,
  addAuthRoutes,
  addEmailChangeRoutes,
  addFactorRoutes,
  addMagicLinkRoutes,
  addPasskeyRoutes,
  addRecoveryRoutes,
  addStepUpRoutes,
  addUpstreamRoutes,
  assertRecentSignIn,
  findBrowserCaller,
  readAvailable,
} from './domains/auth/index.ts';
import { addCreditAdministrationRoutes, addCreditRoutes, readCreditsOf } from './domains/credits/index.ts';
import { addOauthRoutes, addProtectedResourceRoutes } from './domains/oauth/index.ts';
import {
  addCreditsPages,
  addPaymentRoutes,
  addPlanRoutes,
  addSavedCardRoutes,
  addSubscriptionRoutes,
} from './domains/payments/index.ts';
import { addPrivacyRoutes } from './domains/privacy/index.ts';
import { addUserAdministrationRoutes, addUserRoutes } from './domains/users/index.ts';
import { addWebhookRoutes } from './domains/webhooks/index.ts';
import { addDocsRoutes } from './http/docs.ts';
import { addOperationsRoutes } from './http/operations.ts';
import { addAccountPages } from './http/pages/account-pages.ts';
import { addAssetRoutes } from './http/pages/assets.ts';
import { addLinkPages } from './http/pages/link-pages.ts';
import { addFirstAdminPage } from './http/pages/first-admin-page.ts';
import { addMailboxPage } from './http/pages/mailbox-page.ts';
import { addEndLookingForm } from './http/pages/admin/end-looking.ts';
import { addPeoplePage } from './http/pages/admin/people-page.ts';
import { addPersonPage } from './http/pages/admin/person-page.ts';
import { addConnectedPages } from './http/pages/connected-pages.ts';
import { addEventPages } from './http/pages/event-pages.ts';
import { addOwnPages } from './http/pages/own-pages.ts';
import { addSecurityPages } from './http/pages/security-pages.ts';
import { createServer } from './http/server.ts';
import type { Resolve } from './lib/find-addresses.ts';

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/**
 * Builds the HTTP application from the explicit list of domains. `resolve` finds the addresses of names that
 * clients give; DNS unless said otherwise.
 */
export async function buildApp(ctx: Ctx, resolve?: Resolve): Promise<App> {
  const app = await createServer(ctx, (cookie) => findBrowserCaller(ctx, cookie));
  await addOperationsRoutes(app, ctx);
  addDocsRoutes(app);
  addAuthRoutes(app, ctx);
  addUserRoutes(app, ctx, readAvailable);
  addUserAdministrationRoutes(app, ctx, readCreditsOf);
  addCreditAdministrationRoutes(app, ctx);
  addAuthAdministrationRoutes(app, ctx);
  addAuditRoutes(app, ctx);
  addCreditRoutes(app, ctx, assertRecentSignIn);
  addRecoveryRoutes(app, ctx);
  addFactorRoutes(app, ctx);
  addPasskeyRoutes(app, ctx);
  addStepUpRoutes(app, ctx);
  addMagicLinkRoutes(app, ctx);
  addEmailChangeRoutes(app, ctx);
  addUpstreamRoutes(app, ctx);
  addApplicationRoutes(app, ctx);
  addAccessRequestRoutes(app, ctx);
  addGrantRoutes(app, ctx);
  addApiKeyRoutes(app, ctx);
  addApiKeyPages(app, ctx);
  addRequestPages(app, ctx);
  addGrantPages(app, ctx);
  addOauthRoutes(app, ctx, resolve);
  addProtectedResourceRoutes(app, ctx);
  addWebhookRoutes(app, ctx);
  addPaymentRoutes(app, ctx);
  addCreditsPages(app, ctx);
  addSavedCardRoutes(app, ctx);
  addPlanRoutes(app, ctx);
  addSubscriptionRoutes(app, ctx);
  addPrivacyRoutes(app, ctx);
  addAssetRoutes(app);
  addAccountPages(app, ctx);
  addOwnPages(app, ctx);
  addEventPages(app, ctx);
  addConnectedPages(app, ctx);
  addPeoplePage(app, ctx);
  addPersonPage(app, ctx);
  addEndLookingForm(app, ctx);
  addSecurityPages(app, ctx);
  addLinkPages(app, ctx);
  addFirstAdminPage(app, ctx);
  addMailboxPage(app, ctx);
  return app;
}
