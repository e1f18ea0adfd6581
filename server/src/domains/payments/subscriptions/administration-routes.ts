import { Type } from 'typebox';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import type { ErrorCode } from '../../../errors.ts';
import { authenticate, callerOf } from '../../../http/authenticate.ts';
import { originOf } from '../../../http/origin.ts';
import { userIdSchema } from '../../users/index.ts';
import { endSubscriptionOf } from './end-subscription-of.ts';
import { listSubscriptionsOf } from './list-subscriptions-of.ts';
import * as schemas from './schemas.ts';

const common = { tags: ['payments'], security: [{ bearer: [] }] };
const path = '/api/v1/users/:userId/subscriptions';
const ofOne = ['auth.admin_required', 'request.not_found'] as const satisfies ErrorCode[];

/** Subscriptions of other people, for administrators. */
export function addSubscriptionAdministrationRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const listSchema = {
    ...common,
    summary: "List somebody's subscriptions (administrators)",
    description: 'The youngest first, those that have ended as well.',
    params: userIdSchema,
    response: { 200: Type.Array(schemas.subscriptionSchema) },
  };
  app.get(path, { preHandler, config: { refusals: ofOne }, schema: listSchema }, (request) =>
    listSubscriptionsOf(ctx, callerOf(request), request.params.userId),
  );

  const endSchema = {
    ...common,
    summary: "End somebody's subscription (administrators)",
    description:
      'With the period that has been paid for, or at once, which nobody can take back: the plan goes, and no open bill ' +
      'is tried again. Credits stay until the end of what was paid; no money goes back by itself. Again it changes nothing.',
    params: schemas.subscriptionOfUserSchema,
    body: schemas.subscriptionEndSchema,
    response: { 200: schemas.subscriptionSchema },
  };
  const refusals = [
    ...ofOne,
    'auth.step_up_required',
    'payments.subscription_state',
    'payments.provider_not_set_up',
    'payments.provider_unavailable',
    'payments.provider_refused',
  ] as const satisfies ErrorCode[];
  app.post(
    `${path}/:subscriptionId/end`,
    { preHandler, config: { refusals }, schema: endSchema },
    (request) => {
      const which = { ...request.body, ...request.params };
      return endSubscriptionOf(ctx, callerOf(request), which, originOf(request));
    },
  );
}
