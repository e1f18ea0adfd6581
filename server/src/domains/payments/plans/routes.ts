import { Type } from 'typebox';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import { authenticate, callerOf } from '../../../http/authenticate.ts';
import { originOf } from '../../../http/origin.ts';
import { changePlan } from './change-plan.ts';
import { createPlan } from './create-plan.ts';
import { listPlans, listPlansWithVersions } from './list-plans.ts';
import * as schemas from './schemas.ts';

const common = { tags: ['payments'], security: [{ bearer: [] }] };
const plansPath = '/api/v1/payments/plans';
const planPath = `${plansPath}/:planId`;

/** Plans: anybody reads them, administrators make, change and switch them off. */
export function addPlanRoutes(app: App, ctx: Ctx): void {
  addListRoutes(app, ctx);
  addAdministrationRoutes(app, ctx);
}

function addListRoutes(app: App, ctx: Ctx): void {
  const listSchema = {
    tags: ['payments'],
    summary: 'List the plans',
    description:
      'What anybody can subscribe to now, in the order in which it is offered. Nobody need sign in.',
    response: { 200: Type.Array(schemas.planSchema) },
  };
  app.get(plansPath, { schema: listSchema }, () => listPlans(ctx));

  const versionsOptions = {
    preHandler: authenticate(ctx),
    config: { refusals: ['auth.admin_required'] as const },
    schema: {
      ...common,
      summary: 'List the plans with all their terms (administrators)',
      description: 'Those that are switched off as well.',
      response: { 200: Type.Array(schemas.planWithVersionsSchema) },
    },
  };
  app.get(`${plansPath}/versions`, versionsOptions, (request) =>
    listPlansWithVersions(ctx, callerOf(request)),
  );
}

function addAdministrationRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const createOptions = {
    preHandler,
    config: { refusals: ['auth.admin_required', 'payments.plan_taken'] as const },
    schema: {
      ...common,
      summary: 'Make a plan (administrators)',
      body: schemas.newPlanSchema,
      response: { 201: schemas.planSchema },
    },
  };
  app.post(plansPath, createOptions, async (request, reply) =>
    reply.status(201).send(await createPlan(ctx, callerOf(request), request.body, originOf(request))),
  );

  const config = { refusals: ['auth.admin_required', 'request.not_found'] as const };
  const ofOne = { params: schemas.planParamsSchema, response: { 200: schemas.planSchema } };
  const changeSchema = {
    ...common,
    ...ofOne,
    summary: 'Change a plan (administrators)',
    description:
      'Other terms are a new version; whoever has subscribed keeps theirs until they change by themselves.',
    body: schemas.planChangesSchema,
  };
  app.patch(planPath, { preHandler, config, schema: changeSchema }, (request) =>
    changePlan(ctx, callerOf(request), { ...request.body, ...request.params }, originOf(request)),
  );

  const endSchema = {
    ...common,
    ...ofOne,
    summary: 'Switch a plan off (administrators)',
    description: 'Nobody can subscribe anew; for those who have, it goes on.',
  };
  app.delete(planPath, { preHandler, config, schema: endSchema }, (request) =>
    changePlan(ctx, callerOf(request), { ...request.params, active: false }, originOf(request)),
  );
}
