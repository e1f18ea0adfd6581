import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import { readApiKey } from '../../../http/api-key.ts';
import { authenticate } from '../../../http/authenticate.ts';
import * as schemas from './schemas.ts';
import { verifyApiKey } from './verify-api-key.ts';

const options = {
  schema: {
    tags: ['api-keys'],
    security: [{ application: [] }, { bearer: [] }],
    summary: 'Verify an API key, and spend with it',
    description:
      'For an application, by its own credentials or by a key with `api-keys:verify`; and for whoever holds the ' +
      'key, which is then the bearer token as well. Always 200: a key that does not count is `valid: false`. With ' +
      '`charge`, what a valid key may not spend makes it `valid: false`, too, and nothing is spent.',
    body: schemas.verificationBodySchema,
    response: { 200: schemas.verificationSchema },
  },
  config: { refusals: ['auth.key_invalid', 'auth.insufficient_scope', 'server.busy'] as const },
};

/** The verification of keys, for services that are handed them. */
export function addVerificationRoutes(app: App, ctx: Ctx): void {
  const asApplication = authenticate(ctx, { application: 'only', keyScope: 'api-keys:verify' });
  /** Whoever presents the very key needs nobody else to vouch for them; wrong ones are counted. */
  const preHandler = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { key } = request.body as { key: string };
    if (readApiKey(request) === key) await app.failures.assertFew(request);
    else await asApplication(request, reply);
  };

  app.post('/api/v1/api-keys/verify', { ...options, preHandler }, async (request) => {
    const caller = request.application ?? null;
    const verification = await verifyApiKey(ctx, request.body, caller, app.countKeyUse);
    if (caller === null && verification.code === 'unknown') await app.failures.count(request);
    return verification;
  });
}
