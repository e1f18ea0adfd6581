import type { Ctx } from '../../../ctx.ts';
import type { Resolve } from '../../../lib/find-addresses.ts';
import { cleanUp } from './clean-up.ts';
import { sendLogoutNotice } from './send-logout-notice.ts';

/** Names who does the jobs of this domain. */
export function handleOauthJobs(ctx: Ctx, resolve?: Resolve): void {
  ctx.jobs.handle('send-logout-notice', ({ noticeId }) => sendLogoutNotice(ctx, noticeId, resolve));
  ctx.jobs.handle('clean-up-oauth', () => cleanUp(ctx));
}
