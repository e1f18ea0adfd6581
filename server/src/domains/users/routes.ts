import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import { authenticate, callerOf } from '../../http/authenticate.ts';
import { originOf } from '../../http/origin.ts';
import { deactivateOwnAccount } from './administration/deactivate-account.ts';
import { readProfile, type ReadAvailable } from './read-profile.ts';
import { doneSchema, profileChangesSchema, userSchema } from './schemas.ts';
import { updateProfile } from './update-profile.ts';

/** A person's own profile, as the Moxie clients call it. */
export function addUserRoutes(app: App, ctx: Ctx, readAvailable: ReadAvailable): void {
  const preHandler = authenticate(ctx);
  const common = { tags: ['users'], security: [{ bearer: [] }] };

  app.get(
    '/api/v1/users/me',
    {
      preHandler: authenticate(ctx, { keyScope: 'profile' }),
      schema: { ...common, summary: 'Read your profile', response: { 200: userSchema } },
    },
    (request) => readProfile(ctx, readAvailable, callerOf(request)),
  );

  app.put(
    '/api/v1/users/me',
    {
      preHandler,
      config: { refusals: ['users.username_taken'] },
      schema: {
        ...common,
        summary: 'Change your profile',
        body: profileChangesSchema,
        response: { 200: userSchema },
      },
    },
    (request) => updateProfile(ctx, readAvailable, callerOf(request), request.body),
  );

  const deactivateSchema = {
    ...common,
    summary: 'Deactivate your account',
    description: 'Sessions, tokens, API keys and consents are dead at once; what the account owns stays.',
    response: { 200: doneSchema },
  };
  app.delete(
    '/api/v1/users/me',
    { preHandler, config: { refusals: ['users.last_admin'] }, schema: deactivateSchema },
    async (request) => {
      await deactivateOwnAccount(ctx, { caller: callerOf(request), origin: originOf(request) });
      return { success: true as const, message: 'The account is deactivated.' };
    },
  );
}
