import type { App } from '../app.ts';
import type { Ctx } from '../ctx.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Called by machines every few seconds: logged at `debug` only. */
    isProbe?: boolean;
  }
}

/**
 * One log line and one measurement per request when its answer is done: the route's pattern instead of the
 * address, so that neither ids nor tokens in a query string are kept.
 */
export function installObservation(app: App, ctx: Ctx): void {
  app.addHook('onResponse', async (request, reply) => {
    const { url: route = 'unmatched', config } = request.routeOptions;
    const { method } = request;
    const status = reply.statusCode;
    ctx.metrics.requestDurationSeconds.observe({ method, route, status }, reply.elapsedTime / 1000);
    const durationMs = Math.round(reply.elapsedTime * 10) / 10;
    const facts = {
      method,
      route,
      status,
      durationMs,
      ...(request.caller ? { userId: request.caller.userId } : {}),
    };
    request.log[config.isProbe ? 'debug' : 'info'](facts, 'request answered');
  });
}
