import { Type } from 'typebox';
import type { App } from '../app.ts';
import type { Ctx } from '../ctx.ts';
import { createReadinessCheck } from '../db/readiness.ts';
import { AppError } from '../errors.ts';
import packageJson from '../../package.json' with { type: 'json' };

const checkSchema = Type.Enum(['ok', 'failed']);
const checksSchema = Type.Object({
  database: checkSchema,
  schema: checkSchema,
  signingKey: checkSchema,
  accepting: checkSchema,
});
const statusSchema = Type.Object({ status: Type.Literal('ok') });
const readySchema = Type.Object({ status: Type.Literal('ok'), checks: checksSchema });
const healthSchema = Type.Object({
  status: Type.Literal('ok'),
  checks: checksSchema,
  version: Type.String({ examples: ['0.1.0'] }),
  uptimeSeconds: Type.Integer({ examples: [86_400] }),
});

const config = { limit: false, isProbe: true, refusals: ['server.unavailable'] } as const;
const tags = ['operations'];

/** What balancers, orchestrators and Prometheus ask. Open to everybody who reaches the port. */
export async function addOperationsRoutes(app: App, ctx: Ctx): Promise<void> {
  addMetricsRoute(app, ctx);
  await addHealthRoutes(app, ctx);
}

async function addHealthRoutes(app: App, ctx: Ctx): Promise<void> {
  const readDatabaseState = await createReadinessCheck(ctx.db);
  const assertReady = async () => {
    const checks = {
      ...(await readDatabaseState()),
      signingKey: ctx.keys.jwks().keys.length > 0 ? ('ok' as const) : ('failed' as const),
      accepting: app.isDraining() ? ('failed' as const) : ('ok' as const),
    };
    if (Object.values(checks).every((check) => check === 'ok')) return checks;
    throw new AppError('server.unavailable', { extensions: { checks }, headers: { 'retry-after': '1' } });
  };

  app.get(
    '/health',
    { config, schema: { tags, summary: 'Health, version and uptime', response: { 200: healthSchema } } },
    async () => ({
      status: 'ok' as const,
      checks: await assertReady(),
      version: packageJson.version,
      uptimeSeconds: Math.floor(process.uptime()),
    }),
  );

  app.get(
    '/health/live',
    {
      config: { limit: false, isProbe: true },
      schema: {
        tags,
        summary: 'Whether the process runs',
        description: 'Asks nothing else: restart the process when this fails.',
        response: { 200: statusSchema },
      },
    },
    () => ({ status: 'ok' as const }),
  );

  app.get(
    '/health/ready',
    {
      config,
      schema: {
        tags,
        summary: 'Whether the service can take requests',
        description:
          'Database reachable, schema current, signing key loaded, not stopping. Send no requests while this is 503.',
        response: { 200: readySchema },
      },
    },
    async () => ({ status: 'ok' as const, checks: await assertReady() }),
  );
}

function addMetricsRoute(app: App, ctx: Ctx): void {
  app.get(
    '/metrics',
    {
      config: { limit: false, isProbe: true },
      schema: {
        tags,
        summary: 'Metrics for Prometheus',
        description:
          'Holds no personal data, but is not meant for the public: let the proxy in front deny it.',
        produces: ['text/plain'],
        response: { 200: Type.String({ examples: ['# TYPE obol_spends_total counter\n'] }) },
      },
    },
    async (_request, reply) =>
      reply.type(ctx.metrics.registry.contentType).send(await ctx.metrics.registry.metrics()),
  );
}
