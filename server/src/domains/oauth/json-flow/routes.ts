import type { FastifyRequest } from 'fastify';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import type { ErrorCode } from '../../../errors.ts';
import { limits } from '../../../http/limits.ts';
import { originOf } from '../../../http/origin.ts';
import { createSignInWatch } from '../../auth/index.ts';
import type { ProviderHost } from '../provider/provider-host.ts';
import {
  authorizePerson,
  authorizeWithSecondFactor,
  authorizeWithToken,
  type CodeContext,
} from './authorize-person.ts';
import { findAskingClient } from './find-asking-client.ts';
import { redeemCode } from './redeem-code.ts';
import * as schemas from './schemas.ts';

const base = '/api/v1/oauth';
const common = { tags: ['oauth'] };
const forRequests: ErrorCode[] = ['oauth.client_unknown', 'oauth.redirect_mismatch'];

/**
 * The JSON flow of DevPortal's clients: contract §4. Open to pages of every origin; no cookie is read or
 * set.
 */
export function addJsonFlowRoutes(app: App, ctx: Ctx, host: ProviderHost): void {
  const contextOf = (request: FastifyRequest): CodeContext => ({
    host,
    requestId: request.id,
    origin: originOf(request),
  });
  addValidateRoute(app, ctx, host);
  addAuthorizeRoutes(app, ctx, contextOf);
  addSingleSignOnRoute(app, ctx, contextOf);
  addTokenRoute(app, ctx, contextOf);
}

type ContextOf = (request: FastifyRequest) => CodeContext;

function addValidateRoute(app: App, ctx: Ctx, host: ProviderHost): void {
  const options = {
    config: { refusals: forRequests },
    schema: {
      ...common,
      summary: 'Check a request for a code',
      description:
        'Before a page asks for a password: whether the application and its redirect address are known.',
      querystring: schemas.requestSchema,
      response: { 200: schemas.validatedSchema },
    },
  };
  app.get(`${base}/validate`, options, async (request) => {
    const { name, clientId } = await findAskingClient(ctx, host, request.query);
    return { application: { name, clientId } };
  });
}

function addAuthorizeRoutes(app: App, ctx: Ctx, contextOf: ContextOf): void {
  const limit = { ...limits.login, watch: createSignInWatch(ctx) };
  const passwordOptions = {
    config: {
      limit,
      refusals: [
        ...forRequests,
        'auth.invalid_credentials',
        'auth.account_deactivated',
        'access.required',
        'auth.second_factor_required',
        'server.busy',
      ] satisfies ErrorCode[],
    },
    schema: {
      ...common,
      summary: 'Get a code with a password',
      description:
        'Counts as a sign-in. Without access to a closed application: 403, and how to ask for it. ' +
        'With a second factor on: 403 `auth.second_factor_required`, and its `challengeToken` for the next route.',
      body: schemas.passwordRequestSchema,
      response: { 200: schemas.codeSchema },
    },
  };
  app.post(`${base}/authorize`, passwordOptions, async (request) => ({
    code: await authorizePerson(ctx, request.body, contextOf(request)),
  }));

  const codeOptions = {
    config: {
      limit: limits.secondFactor,
      refusals: [
        ...forRequests,
        'auth.challenge_invalid',
        'auth.code_wrong',
        'access.required',
      ] satisfies ErrorCode[],
    },
    schema: {
      ...common,
      summary: 'Get a code with a second factor',
      description:
        'The second step after `auth.second_factor_required`: with a code of the app, or a backup code.',
      body: schemas.secondFactorRequestSchema,
      response: { 200: schemas.codeSchema },
    },
  };
  app.post(`${base}/authorize-with-second-factor`, codeOptions, async (request) => ({
    code: await authorizeWithSecondFactor(ctx, request.body, contextOf(request)),
  }));
}

function addSingleSignOnRoute(app: App, ctx: Ctx, contextOf: ContextOf): void {
  const tokenOptions = {
    config: {
      limit: limits.authorizeWithToken,
      refusals: [
        ...forRequests,
        'auth.token_invalid',
        'auth.session_ended',
        'access.required',
      ] satisfies ErrorCode[],
    },
    schema: {
      ...common,
      summary: 'Get a code with an access token',
      description:
        'Single sign-on: for whoever is signed in to this service. Tokens of applications do not do.',
      body: schemas.tokenRequestSchema,
      response: { 200: schemas.codeSchema },
    },
  };
  app.post(`${base}/authorize-with-token`, tokenOptions, async (request) => ({
    code: await authorizeWithToken(ctx, request.body, contextOf(request)),
  }));
}

function addTokenRoute(app: App, ctx: Ctx, contextOf: ContextOf): void {
  const options = {
    config: { refusals: ['oauth.code_invalid'] satisfies ErrorCode[] },
    schema: {
      ...common,
      summary: 'Redeem a code',
      description: 'Once. A second time is refused, and ends the tokens of the first.',
      body: schemas.redemptionSchema,
      response: { 200: schemas.redeemedSchema },
    },
  };
  app.post(`${base}/token`, options, async (request, reply) => {
    reply.header('cache-control', 'no-store');
    return redeemCode(ctx, request.body, contextOf(request));
  });
}
