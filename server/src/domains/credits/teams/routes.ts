import { Type } from 'typebox';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import { authenticate, callerOf } from '../../../http/authenticate.ts';
import { askerOf, sendMovement } from '../../../http/movement.ts';
import { keyHeadersSchema, movementAnswerSchema } from '../grants/schemas.ts';
import { resolveIdempotencyKey } from '../resolve-idempotency-key.ts';
import { changeMember } from './change-member.ts';
import { createTeam } from './create-team.ts';
import { addInvitationRoutes } from './invitation-routes.ts';
import { listTeamMembers } from './list-team-members.ts';
import { listTeams } from './list-teams.ts';
import { readTeam } from './read-team.ts';
import { removeMember } from './remove-member.ts';
import * as schemas from './schemas.ts';
import { transferCredits } from './transfer-credits.ts';

const common = { tags: ['credits'], security: [{ bearer: [] }] };
const done = { success: true } as const;

/** Team wallets: teams, their members and limits, and the transfers that fill them. */
export function addTeamRoutes(app: App, ctx: Ctx): void {
  addTeamListRoutes(app, ctx);
  addMemberRoutes(app, ctx);
  addTransferRoute(app, ctx);
  addInvitationRoutes(app, ctx);
}

function addTeamListRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const createSchema = {
    ...common,
    summary: 'Make a team',
    description: 'With an empty wallet; you own it. Spend from it by `walletId`.',
    body: schemas.newTeamBodySchema,
    response: { 201: schemas.teamSchema },
  };
  app.post('/api/v1/credits/teams', { preHandler, schema: createSchema }, async (request, reply) =>
    reply.status(201).send(await createTeam(ctx, callerOf(request), request.body)),
  );

  const listSchema = {
    ...common,
    summary: 'List the teams you are in',
    response: { 200: Type.Array(schemas.teamSchema) },
  };
  app.get('/api/v1/credits/teams', { preHandler, schema: listSchema }, (request) =>
    listTeams(ctx, callerOf(request)),
  );

  const readOptions = {
    preHandler,
    schema: {
      ...common,
      summary: 'Read a team: its wallet, and what you may spend',
      params: schemas.teamParamsSchema,
      response: { 200: schemas.teamDetailsSchema },
    },
    config: { refusals: ['request.not_found'] as const },
  };
  app.get('/api/v1/credits/teams/:teamId', readOptions, (request) =>
    readTeam(ctx, callerOf(request), request.params.teamId),
  );
}

function addMemberRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const listOptions = {
    preHandler,
    schema: {
      ...common,
      summary: 'List who is in a team',
      params: schemas.teamParamsSchema,
      response: { 200: Type.Array(schemas.memberSchema) },
    },
    config: { refusals: ['request.not_found'] as const },
  };
  app.get('/api/v1/credits/teams/:teamId/members', listOptions, (request) =>
    listTeamMembers(ctx, callerOf(request), request.params.teamId),
  );

  const config = { refusals: ['request.not_found', 'teams.role_required', 'teams.last_owner'] as const };
  const changeSchema = {
    ...common,
    summary: 'Change what a member is, or may spend',
    description: 'Roles are for owners to change, limits also for admins. It counts for the next spend.',
    params: schemas.memberParamsSchema,
    body: schemas.memberBodySchema,
    response: { 200: schemas.doneSchema },
  };
  const changeOptions = { preHandler, schema: changeSchema, config };
  app.put('/api/v1/credits/teams/:teamId/members/:userId', changeOptions, async (request) => {
    await changeMember(ctx, callerOf(request), request.params, request.body);
    return done;
  });

  const removeSchema = {
    ...common,
    summary: 'Leave a team, or remove a member',
    description: 'What they may spend ends at once. The last owner stays.',
    params: schemas.memberParamsSchema,
    response: { 200: schemas.doneSchema },
  };
  const removeOptions = { preHandler, schema: removeSchema, config };
  app.delete('/api/v1/credits/teams/:teamId/members/:userId', removeOptions, async (request) => {
    await removeMember(ctx, callerOf(request), request.params);
    return done;
  });
}

function addTransferRoute(app: App, ctx: Ctx): void {
  const options = {
    preHandler: authenticate(ctx),
    schema: {
      ...common,
      summary: 'Move credits from your own wallet into a team',
      description: 'They keep kind, source, priority and expiry.',
      params: schemas.teamParamsSchema,
      headers: keyHeadersSchema,
      body: schemas.transferBodySchema,
      response: { 200: movementAnswerSchema },
    },
    config: {
      refusals: [
        'request.not_found',
        'idempotency.mismatch',
        'credits.wallet_inactive',
        'credits.in_debt',
        'credits.insufficient',
        'credits.too_many',
      ] as const,
    },
  };
  app.post('/api/v1/credits/teams/:teamId/transfers', options, async (request, reply) => {
    const { body, headers, params } = request;
    const key = resolveIdempotencyKey(headers['idempotency-key'], body.idempotencyKey);
    return sendMovement(
      reply,
      await transferCredits(ctx, askerOf(request), params.teamId, { ...body, ...key }),
    );
  });
}
