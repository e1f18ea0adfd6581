import type { App } from '../../../app.ts';
import type { Ctx } from '../../../ctx.ts';
import { stopImpersonating } from '../../../domains/auth/index.ts';
import { requireCsrfToken } from '../../csrf.ts';
import { endLookingPath, sendLookingCookie } from '../looking.ts';
import { forAdministrator, peoplePath } from '../page-caller.ts';
import { addPages } from '../page-scope.ts';
import { reactPageRoute } from '../react-page.ts';

/** The form of the banner by which an administrator stops looking at somebody's account. */
export function addEndLookingForm(app: App, ctx: Ctx): void {
  const { schema } = reactPageRoute;
  addPages(app, (pages) => {
    pages.post(endLookingPath, { preHandler: requireCsrfToken(ctx), schema }, (request, reply) =>
      forAdministrator(ctx, request, reply, {
        next: peoplePath,
        work: async (caller) => {
          const [userId] = await stopImpersonating(ctx, caller);
          sendLookingCookie(reply);
          const url = userId === undefined ? peoplePath : `${peoplePath}/${userId}?done=looking-ended`;
          return reply.redirect(url, 303);
        },
      }),
    );
  });
}
