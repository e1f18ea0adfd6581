import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import { authenticate, callerOf } from '../../../http/authenticate.ts';
import { limits } from '../../../http/limits.ts';
import { agreeTopUp } from './agree-top-up.ts';
import { endTopUp } from './end-top-up.ts';
import { openPortal } from './open-portal.ts';
import { readTopUp } from './read-top-up.ts';
import * as schemas from './schemas.ts';

const path = '/api/v1/payments/top-up';
const common = { tags: ['payments'], security: [{ bearer: [] }] };

/** Automatic top-ups with a saved card, and the provider's own pages for it. */
export function addSavedCardRoutes(app: App, ctx: Ctx): void {
  addReadRoutes(app, ctx);
  addAgreeRoute(app, ctx);
  addPortalRoute(app, ctx);
}

function addReadRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const response = { 200: schemas.topUpSchema };
  const readSchema = { ...common, summary: 'Read your automatic top-ups', response };
  app.get(path, { preHandler, schema: readSchema }, (request) => readTopUp(ctx, callerOf(request)));

  const endSchema = {
    ...common,
    summary: 'End your automatic top-ups',
    description: 'A charge that has begun is not called back.',
    response,
  };
  app.delete(path, { preHandler, schema: endSchema }, (request) => endTopUp(ctx, callerOf(request)));
}

function addAgreeRoute(app: App, ctx: Ctx): void {
  const options = {
    preHandler: authenticate(ctx),
    schema: {
      ...common,
      summary: 'Agree to automatic top-ups',
      description:
        'Buys a package with the saved card whenever less than `threshold` is available, at the price of now and up to a ' +
        'cap a month. A card that is declined, a refund, a dispute, credits owed or another price pauses it until you ' +
        'agree anew. Takes a recent sign-in, and is told by mail.',
      body: schemas.topUpBodySchema,
      response: { 200: schemas.topUpSchema },
    },
    config: {
      limit: limits.purchase,
      refusals: [
        'auth.step_up_required',
        'payments.no_saved_card',
        'payments.package_unavailable',
        'payments.currency_unavailable',
        'payments.cap_too_low',
        'payments.threshold_too_high',
      ] as const,
    },
  };
  app.put(path, options, (request) => agreeTopUp(ctx, callerOf(request), request.body));
}

function addPortalRoute(app: App, ctx: Ctx): void {
  const options = {
    preHandler: authenticate(ctx),
    schema: {
      ...common,
      summary: "Open the provider's page for your cards and bills",
      body: schemas.portalBodySchema,
      response: { 200: schemas.portalSchema },
    },
    config: {
      limit: limits.purchase,
      refusals: [
        'payments.provider_not_set_up',
        'payments.no_customer',
        'payments.not_supported',
        'payments.provider_unavailable',
        'payments.provider_refused',
      ] as const,
    },
  };
  app.post('/api/v1/payments/portal', options, (request) =>
    openPortal(ctx, callerOf(request), request.body.provider),
  );
}
