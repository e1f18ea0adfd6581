import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import type { AppError } from '../../../errors.ts';
import { limits } from '../../../http/limits.ts';
import { answerInOauthForm } from '../../../http/oauth-error.ts';
import { originOf } from '../../../http/origin.ts';
import { ClientMetadataError } from './read-client-metadata.ts';
import { registerFromMetadata } from './register-from-metadata.ts';

/** Applications register themselves, where the operator lets them. @see RFC 7591 §3 */
export function addRegistrationRoute(app: App, ctx: Ctx): void {
  void app.register(async (scope) => {
    const routes = scope as unknown as App;
    routes.setErrorHandler(answerRefusal);
    routes.post(
      '/oauth/register',
      { config: { limit: limits.registerClient }, schema: { hide: true } },
      async (request, reply) => {
        const registered = await registerFromMetadata(ctx, request.body, originOf(request));
        return reply.code(201).header('cache-control', 'no-store').send(registered);
      },
    );
  });
}

function answerRefusal(
  error: FastifyError | AppError | ClientMetadataError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  if (!(error instanceof ClientMetadataError)) return answerInOauthForm(error, request, reply);
  return reply.code(400).send({ error: error.error, error_description: error.message });
}
