import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import { authenticate, callerOf } from '../../http/authenticate.ts';
import { readProfile, type ReadAvailable } from './read-profile.ts';
import { profileChangesSchema, userSchema } from './schemas.ts';
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
}
