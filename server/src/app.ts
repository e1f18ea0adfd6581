import { randomUUID } from 'node:crypto';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Ctx } from './ctx.ts';
import { AppError } from './errors.ts';
import { installLimits } from './http/limits.ts';
import { handleError, sendProblem } from './http/problem.ts';
import { installValidation } from './http/validation.ts';

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** Builds the HTTP application from the explicit list of domains. */
export async function buildApp(ctx: Ctx): Promise<App> {
  const logger: FastifyBaseLogger = ctx.log;
  const app = Fastify({
    loggerInstance: logger,
    bodyLimit: ctx.config.bodyLimitBytes,
    trustProxy: ctx.config.trustProxy.length > 0 ? [...ctx.config.trustProxy] : false,
    requestIdHeader: false,
    genReqId: () => randomUUID(),
    rewriteUrl: (request) => rewriteToVersion(request.url ?? '/'),
    return503OnClosing: true,
    routerOptions: { ignoreTrailingSlash: true },
  }).withTypeProvider<TypeBoxTypeProvider>();
  installLimits(app, ctx);
  installValidation(app);
  app.setErrorHandler(handleError);
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, new AppError('request.not_found')));
  app.addHook('onSend', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  return app;
}

/** `/api/<path>` is the same route as `/api/v1/<path>`. */
export function rewriteToVersion(url: string): string {
  return url.startsWith('/api/') && !/^\/api\/v\d+(\/|\?|$)/.test(url)
    ? `/api/v1/${url.slice('/api/'.length)}`
    : url;
}
