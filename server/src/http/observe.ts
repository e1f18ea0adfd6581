import type { App } from '../app.ts';
import type { Ctx } from '../ctx.ts';
import type { Metrics } from '../metrics/index.ts';

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
  const duration = rememberSeries(ctx.metrics);
  app.addHook('onResponse', (request, reply, done) => {
    const { url: route = 'unmatched', config } = request.routeOptions;
    const { method } = request;
    const status = reply.statusCode;
    duration(method, route, status).observe(reply.elapsedTime / 1000);
    const durationMs = Math.round(reply.elapsedTime * 10) / 10;
    const facts = {
      method,
      route,
      status,
      durationMs,
      ...(request.caller ? { userId: request.caller.userId } : {}),
    };
    request.log[config.isProbe ? 'debug' : 'info'](facts, 'request answered');
    ctx.failureLog.review();
    done();
  });
}

type Series = ReturnType<Metrics['requestDurationSeconds']['labels']>;

/**
 * The series of the durations by their labels: finding one anew costs more than to observe. There are as many
 * as routes, methods and statuses that were answered, as there are in the registry.
 */
function rememberSeries(metrics: Metrics): (method: string, route: string, status: number) => Series {
  const known = new Map<string, Series>();
  return (method, route, status) => {
    const key = `${status} ${method} ${route}`;
    const series = known.get(key) ?? metrics.requestDurationSeconds.labels({ method, route, status });
    known.set(key, series);
    return series;
  };
}
