import cookie from '@fastify/cookie';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { LogController, type FastifyBaseLogger } from 'fastify';
import type { App } from '../app.ts';
import type { Config } from '../config.ts';
import type { Ctx } from '../ctx.ts';
import { installBodyParser } from './body.ts';
import { answerClientError } from './client-errors.ts';
import { allowedOrigins, installCors, isCorsAllowed } from './cors.ts';
import { installDrain } from './drain.ts';
import { installHeaders, setStandardHeaders } from './headers.ts';
import { installLimits, type FindBrowserCaller } from './limits.ts';
import { createMethodTable, installNotFound, installOptions } from './methods.ts';
import { installObservation } from './observe.ts';
import { installOpenapi } from './openapi.ts';
import { answerAtLast } from './pages/page-scope.ts';
import { handleError } from './problem.ts';
import { requestIdOf } from './request-id.ts';
import { installValidation } from './validation.ts';

/**
 * The HTTP server with everything that holds for every route, ready for the routes to be added.
 * `findBrowserCaller` is handed in by who knows of sessions; without it nobody is signed in at a browser.
 */
export async function createServer(
  ctx: Ctx,
  findBrowserCaller: FindBrowserCaller = async () => undefined,
): Promise<App> {
  const app = createFastify(ctx.config, ctx.log);
  app.decorate('failureLog', ctx.failureLog);
  await installHttp(app, ctx, findBrowserCaller);
  return app;
}

/** A slow client is cut off, and every failure before a route is reached is a problem document too. */
function createFastify(config: Config, log: FastifyBaseLogger): App {
  const requestTimeout = config.requestTimeoutSeconds * 1000;
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    bodyLimit: config.bodyLimitBytes,
    requestTimeout,
    http: { headersTimeout: requestTimeout, connectionsCheckingInterval: Math.min(requestTimeout / 4, 5000) },
    trustProxy: config.trustProxy.length > 0 ? [...config.trustProxy] : false,
    requestIdHeader: false,
    genReqId: requestIdOf,
    rewriteUrl: (request) => rewriteToVersion(request.url ?? '/'),
    // What still arrives on an open connection while the service stops is answered, and the connection
    // closed.
    return503OnClosing: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 512 },
    frameworkErrors: (error, request, reply) => {
      setStandardHeaders(request, reply);
      handleError(error, request, reply);
    },
    clientErrorHandler: answerClientError,
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.decorate('publicUrl', config.baseUrl);
  app.setErrorHandler(answerAtLast);
  return app;
}

/** What every request passes, in this order: each refuses before the next has any work. */
async function installHttp(app: App, ctx: Ctx, findBrowserCaller: FindBrowserCaller): Promise<void> {
  const { config } = ctx;
  const origins = allowedOrigins(config);
  const methodTable = createMethodTable(app);
  installObservation(app, ctx);
  installDrain(app, config);
  installHeaders(app, config);
  installOptions(app, methodTable, (request) => isCorsAllowed(request, origins));
  await installCors(app, origins);
  await installLimits(app, ctx, findBrowserCaller);
  installNotFound(app, methodTable);
  installBodyParser(app);
  installValidation(app);
  await app.register(cookie);
  await installOpenapi(app, config);
}

/**
 * `/api/<path>` is the same route as `/api/v1/<path>`. A whole address, as it is sent to a proxy, counts as
 * its path. @see RFC 9112 §3.2.2
 */
function rewriteToVersion(target: string): string {
  const url = target.replace(/^https?:\/\/[^/?#]*\/?/i, '/');
  return url.startsWith('/api/') && !/^\/api\/v\d+(\/|\?|$)/.test(url)
    ? `/api/v1/${url.slice('/api/'.length)}`
    : url;
}
