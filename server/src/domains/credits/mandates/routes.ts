import { Type } from 'typebox';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import { authenticate, callerOf } from '../../../http/authenticate.ts';
import { spenderOf } from '../../../http/spender.ts';
import { changeMandate, revokeMandate, type AssertRecent } from './change-mandate.ts';
import { createMandate } from './create-mandate.ts';
import { listMandates, readMandate } from './list-mandates.ts';
import { quoteSpend } from './quote-spend.ts';
import { readEffectiveBalance } from './read-effective-balance.ts';
import * as schemas from './schemas.ts';

const own = { tags: ['credits'], security: [{ bearer: [] }] };
const common = { tags: ['credits'], security: [{ bearer: [] }, { application: [] }] };
const path = '/api/v1/credits/mandates';

/** What people let apps spend, and questions about it. */
export function addMandateRoutes(app: App, ctx: Ctx, assertRecent: AssertRecent): void {
  addGivingRoutes(app, ctx);
  addChangingRoutes(app, ctx, assertRecent);
  addAskingRoutes(app, ctx);
}

function addGivingRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const createSchema = {
    ...own,
    summary: 'Let an app spend',
    description: 'One mandate per app. Only with a token of your own.',
    body: schemas.newMandateBodySchema,
    response: { 201: schemas.mandateSchema },
  };
  const options = { preHandler, schema: createSchema, config: { refusals: ['mandate.exists'] as const } };
  app.post(path, options, async (request, reply) =>
    reply.code(201).send(await createMandate(ctx, callerOf(request), request.body)),
  );

  const readSchema = {
    ...own,
    summary: 'Read a mandate',
    params: schemas.mandateParamsSchema,
    response: { 200: schemas.mandateSchema },
  };
  const readOptions = {
    preHandler,
    schema: readSchema,
    config: { refusals: ['request.not_found'] as const },
  };
  app.get(`${path}/:mandateId`, readOptions, (request) =>
    readMandate(ctx, callerOf(request), request.params.mandateId),
  );
}

function addChangingRoutes(app: App, ctx: Ctx, assertRecent: AssertRecent): void {
  const preHandler = authenticate(ctx);
  const changeSchema = {
    ...own,
    summary: 'Change, pause or resume a mandate',
    description:
      'The next request of the app is judged by the new terms. Raising the budget of a key needs a recent sign-in.',
    params: schemas.mandateParamsSchema,
    body: schemas.mandateChangesBodySchema,
    response: { 200: schemas.mandateSchema },
  };
  const refusals = ['request.not_found', 'mandate.revoked', 'auth.step_up_required'] as const;
  app.patch(`${path}/:mandateId`, { preHandler, schema: changeSchema, config: { refusals } }, (request) =>
    changeMandate(ctx, callerOf(request), request.params.mandateId, request.body, assertRecent),
  );

  const revokeSchema = {
    ...own,
    summary: 'Revoke a mandate',
    description:
      'For good, from the next request on. What is held already can be captured up to its amount, unless you ' +
      'void it.',
    params: schemas.mandateParamsSchema,
    response: { 200: schemas.mandateSchema },
  };
  const options = { preHandler, schema: revokeSchema, config: { refusals: ['request.not_found'] as const } };
  app.delete(`${path}/:mandateId`, options, (request) =>
    revokeMandate(ctx, callerOf(request), request.params.mandateId),
  );
}

function addAskingRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx, { scope: 'credits:spend', application: true });
  const listSchema = {
    ...common,
    summary: 'List mandates',
    description:
      'Those you have given, in force first; an application sees those it has from the person that `onBehalfOf` ' +
      'names.',
    querystring: schemas.mandatesQuerySchema,
    response: { 200: Type.Array(schemas.mandateSchema) },
  };
  app.get(path, { preHandler, schema: listSchema }, (request) =>
    listMandates(ctx, spenderOf(request), request.query),
  );

  const effectiveSchema = {
    ...common,
    summary: 'Read what an app may really spend',
    description: 'The minimum of what the wallet has, what is left of the allowance, and the most per spend.',
    params: schemas.mandateParamsSchema,
    response: { 200: schemas.effectiveBalanceSchema },
  };
  const options = {
    preHandler,
    schema: effectiveSchema,
    config: { refusals: ['request.not_found'] as const },
  };
  app.get(`${path}/:mandateId/effective`, options, (request) =>
    readEffectiveBalance(ctx, spenderOf(request), request.params.mandateId),
  );

  const quoteSchema = {
    ...common,
    summary: 'Ask what a spend would come to',
    description: 'Whether it would pass, from which lots, what stands in the way, and when it would pass.',
    body: schemas.quoteBodySchema,
    response: { 200: schemas.quoteSchema },
  };
  const refusals = ['request.not_found', 'mandate.required'] as const;
  app.post('/api/v1/credits/quote', { preHandler, schema: quoteSchema, config: { refusals } }, (request) =>
    quoteSpend(ctx, spenderOf(request), request.body),
  );
}
