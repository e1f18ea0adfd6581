import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import { authenticate, callerOf } from '../../http/authenticate.ts';
import { originOf } from '../../http/origin.ts';
import { createApplication } from './create-application.ts';
import * as schemas from './schemas.ts';

const common = { tags: ['applications'], security: [{ bearer: [] }] };

/** Applications, their secrets and their members: contract §4. */
export function addApplicationRoutes(app: App, ctx: Ctx): void {
  const preHandler = authenticate(ctx);

  const createSchema = {
    ...common,
    summary: 'Register an application',
    description: 'You become its administrator. The secret is shown this once.',
    body: schemas.newApplicationSchema,
    response: { 201: schemas.createdApplicationSchema },
  };
  app.post('/api/v1/applications', { preHandler, schema: createSchema }, async (request, reply) => {
    const created = await createApplication(ctx, callerOf(request), request.body, originOf(request));
    return reply.code(201).send({ application: created });
  });
}
