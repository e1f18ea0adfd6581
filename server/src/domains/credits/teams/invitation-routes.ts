import { Type } from 'typebox';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import { authenticate, callerOf } from '../../../http/authenticate.ts';
import { acceptInvitation } from './accept-invitation.ts';
import { declineInvitation } from './decline-invitation.ts';
import { inviteMember } from './invite-member.ts';
import { listOwnInvitations } from './list-own-invitations.ts';
import { listTeamInvitations } from './list-team-invitations.ts';
import * as schemas from './schemas.ts';
import { withdrawInvitation } from './withdraw-invitation.ts';

const common = { tags: ['credits'], security: [{ bearer: [] }] };
const done = { success: true } as const;

/**
 * Invitations into teams: sent and taken back by owners and admins, accepted and declined by whom they are
 * for.
 */
export function addInvitationRoutes(app: App, ctx: Ctx): void {
  addTeamInvitationRoutes(app, ctx);
  addOwnInvitationRoutes(app, ctx);
}

function addTeamInvitationRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const refusals = ['request.not_found', 'teams.role_required'] as const;
  const inviteOptions = {
    preHandler,
    schema: {
      ...common,
      summary: 'Invite somebody into a team',
      description: 'By their address, and the answer does not tell whether it has an account. For 14 days.',
      params: schemas.teamParamsSchema,
      body: schemas.invitationBodySchema,
      response: { 201: schemas.invitationSchema },
    },
    config: { refusals: [...refusals, 'teams.already_member'] as const },
  };
  app.post('/api/v1/credits/teams/:teamId/invitations', inviteOptions, async (request, reply) => {
    const invitation = await inviteMember(ctx, callerOf(request), request.params.teamId, request.body);
    return reply.status(201).send(invitation);
  });

  const listSchema = {
    ...common,
    summary: 'List whom a team has invited',
    params: schemas.teamParamsSchema,
    response: { 200: Type.Array(schemas.invitationSchema) },
  };
  const listOptions = { preHandler, schema: listSchema, config: { refusals } };
  app.get('/api/v1/credits/teams/:teamId/invitations', listOptions, (request) =>
    listTeamInvitations(ctx, callerOf(request), request.params.teamId),
  );

  const withdrawSchema = {
    ...common,
    summary: 'Take an invitation back',
    params: schemas.teamInvitationParamsSchema,
    response: { 200: schemas.doneSchema },
  };
  const withdrawOptions = { preHandler, schema: withdrawSchema, config: { refusals } };
  app.delete('/api/v1/credits/teams/:teamId/invitations/:invitationId', withdrawOptions, async (request) => {
    await withdrawInvitation(ctx, callerOf(request), request.params);
    return done;
  });
}

function addOwnInvitationRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);
  const listOptions = {
    preHandler,
    schema: {
      ...common,
      summary: 'List the teams that invite you',
      response: { 200: Type.Array(schemas.ownInvitationSchema) },
    },
    config: { refusals: ['users.email_unverified'] as const },
  };
  app.get('/api/v1/credits/invitations', listOptions, (request) =>
    listOwnInvitations(ctx, callerOf(request)),
  );

  const config = { refusals: ['users.email_unverified', 'request.not_found'] as const };
  const acceptSchema = {
    ...common,
    summary: 'Accept an invitation into a team',
    params: schemas.invitationParamsSchema,
    response: { 200: schemas.acceptedSchema },
  };
  const acceptOptions = { preHandler, schema: acceptSchema, config };
  app.post('/api/v1/credits/invitations/:invitationId/accept', acceptOptions, async (request) => {
    const teamId = await acceptInvitation(ctx, callerOf(request), request.params.invitationId);
    return { ...done, teamId };
  });

  const declineSchema = {
    ...common,
    summary: 'Decline an invitation into a team',
    params: schemas.invitationParamsSchema,
    response: { 200: schemas.doneSchema },
  };
  const declineOptions = { preHandler, schema: declineSchema, config };
  app.delete('/api/v1/credits/invitations/:invitationId', declineOptions, async (request) => {
    await declineInvitation(ctx, callerOf(request), request.params.invitationId);
    return done;
  });
}
