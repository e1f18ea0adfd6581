import swagger from '@fastify/swagger';
import type { FastifySchema, RouteOptions } from 'fastify';
import type { OpenAPIV3_1 } from 'openapi-types';
import type { App } from '../app.ts';
import type { Config } from '../config.ts';
import type { ErrorCode } from '../errors.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { completeDocument } from './openapi-document.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Codes with which this route refuses, beyond those that follow from its schema; for the API reference.
     */
    refusals?: readonly ErrorCode[];
  }
}

/** One tag per domain, in the order of the reference. */
const tags = [
  { name: 'auth', description: 'Accounts, sign-in, sessions and tokens.' },
  { name: 'users', description: 'Profiles, and the administration of accounts.' },
  { name: 'credits', description: 'The wallet: balance, spending, history.' },
  {
    name: 'oauth',
    description: 'Signing in to applications by JSON; the standard endpoints are at the root.',
  },
  { name: 'applications', description: 'Software that signs people in and spends credits, and its members.' },
  { name: 'api-keys', description: 'Keys for programs of people and applications, and who verifies them.' },
  { name: 'payments', description: 'Buying credits: packs, plans, refunds, and what providers tell.' },
  { name: 'webhooks', description: 'Events for applications: where they go, and what became of them.' },
  { name: 'audit', description: 'What administrators, operators and the service did to others.' },
  { name: 'operations', description: 'Health and metrics.' },
];

const description = `One account system and one credit wallet for a family of apps.

Every address under \`/api/v1\` also answers under \`/api\`. Times are ISO 8601 in UTC, credits are whole numbers.
A refusal is a problem document (RFC 9457) with a stable \`code\`; [all codes](/docs/errors).`;

/**
 * Collects the routes from now on into an OpenAPI 3.1 document at `/openapi.json`: types, validation and this
 * document come from the same schemas. Must be called before the routes are added.
 */
export async function installOpenapi(app: App, config: Config): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Obol',
        version: packageJson.version,
        description,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: config.baseUrl }],
      tags,
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description: 'The access token, or an API key (`obol_sk_…`), which `X-API-Key` takes as well.',
          },
          application: {
            type: 'http',
            scheme: 'basic',
            description: 'Client id and secret of an application.',
          },
        },
      },
    },
    transform: ({ schema, url, route }) => ({
      schema: schema?.hide ? schema : { ...schema, 'x-refusals': refusalsOf(schema, route) },
      url,
    }),
    transformObject: (document) =>
      'openapiObject' in document
        ? completeDocument(document.openapiObject as OpenAPIV3_1.Document, config.baseUrl)
        : document.swaggerObject,
  });
  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) =>
    reply.header('cache-control', 'no-cache').send(app.swagger()),
  );
}

/**
 * Every code with which a route may refuse: what follows from its schema and limits, and what it names
 * itself.
 */
function refusalsOf(schema: FastifySchema | undefined, route: RouteOptions): ErrorCode[] {
  const codes: ErrorCode[] = [];
  if (schema?.body) {
    codes.push('request.invalid', 'request.invalid_text', 'request.invalid_json');
    codes.push('request.too_large', 'request.unsupported_media_type');
  } else if (schema?.querystring || schema?.params) codes.push('request.invalid', 'request.invalid_text');
  const takes = (scheme: string) => schema?.security?.some((one) => scheme in one) === true;
  if (takes('bearer')) codes.push('auth.required', 'auth.token_invalid', 'auth.session_ended');
  if (takes('application')) codes.push('auth.application_invalid');
  if (route.config?.limit !== false) codes.push('request.rate_limited');
  return [...codes, ...(route.config?.refusals ?? []), 'server.internal'];
}
