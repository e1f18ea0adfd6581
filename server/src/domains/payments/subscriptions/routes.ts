import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import type { ErrorCode } from '../../../errors.ts';
import { authenticate, callerOf } from '../../../http/authenticate.ts';
import { limits } from '../../../http/limits.ts';
import { addSubscriptionAdministrationRoutes } from './administration-routes.ts';
import { beginSubscription } from './begin-subscription.ts';
import { cancelSubscription, resumeSubscription } from './cancel-subscription.ts';
import { changePlanOfSubscription } from './change-plan-of-subscription.ts';
import { readSubscription } from './read-subscription.ts';
import * as schemas from './schemas.ts';

const common = { tags: ['payments'], security: [{ bearer: [] }] };
const path = '/api/v1/payments/subscription';
const atProvider = [
  'payments.provider_not_set_up',
  'payments.provider_unavailable',
  'payments.provider_refused',
  'payments.not_supported',
] as const satisfies ErrorCode[];
const limit = limits.subscription;

/** A person's own subscription: begun, read, changed, cancelled and resumed; administrators may end it. */
export function addSubscriptionRoutes(app: App, ctx: Ctx): void {
  addOpeningRoutes(app, ctx);
  addChangeRoutes(app, ctx);
  addSubscriptionAdministrationRoutes(app, ctx);
}

function addOpeningRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const beginOptions = {
    preHandler,
    config: {
      limit,
      refusals: ['request.not_found', 'payments.subscribed_already', ...atProvider] as const,
    },
    schema: {
      ...common,
      summary: 'Subscribe to a plan',
      description:
        'Opens a checkout; the subscription begins when that is paid. Again, while it waits, the answer is the same.',
      body: schemas.newSubscriptionSchema,
      response: { 201: schemas.openedSubscriptionSchema },
    },
  };
  app.post(path, beginOptions, async (request, reply) =>
    reply.status(201).send(await beginSubscription(ctx, callerOf(request), request.body)),
  );

  const readOptions = {
    preHandler,
    config: { refusals: ['payments.no_subscription'] as const },
    schema: { ...common, summary: 'Read your subscription', response: { 200: schemas.subscriptionSchema } },
  };
  app.get(path, readOptions, (request) => readSubscription(ctx, callerOf(request)));
}

function addChangeRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const ofOwn = ['payments.no_subscription', 'payments.subscription_state', ...atProvider] as const;
  const changeOptions = {
    preHandler,
    config: { limit, refusals: ['request.not_found', 'payments.plan_not_comparable', ...ofOwn] as const },
    schema: {
      ...common,
      summary: 'Change to another plan',
      description:
        'A dearer plan counts at once, and the difference for the rest of the period is billed; any other counts from the ' +
        'next period on, and with PayPal every one, once it has been agreed to at `approvalUrl`.',
      body: schemas.planChangeSchema,
      response: { 200: schemas.changedSubscriptionSchema },
    },
  };
  app.patch(path, changeOptions, (request) =>
    changePlanOfSubscription(ctx, callerOf(request), request.body.planId),
  );

  const config = { limit, refusals: ofOwn };
  const response = { 200: schemas.subscriptionSchema };
  const cancelSchema = {
    ...common,
    summary: 'Cancel your subscription',
    description:
      'It ends with the period that has been paid for; one that waits in its checkout ends at once.',
    response,
  };
  app.delete(path, { preHandler, config, schema: cancelSchema }, (request) =>
    cancelSubscription(ctx, callerOf(request)),
  );
  const resumeSchema = { ...common, summary: 'Take a cancellation back', response };
  app.post(`${path}/resume`, { preHandler, config, schema: resumeSchema }, (request) =>
    resumeSubscription(ctx, callerOf(request)),
  );
}
