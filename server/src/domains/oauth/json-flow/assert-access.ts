import type { Ctx } from '../../../ctx.ts';
import { AppError } from '../../../errors.ts';
import { enterApplication, type Application } from '../../applications/index.ts';

/**
 * Throws `access.required` unless a person may come into an application, and says how to ask for that and how
 * their last request stands. Into an open one anybody may.
 */
export async function assertAccess(ctx: Ctx, application: Application, userId: string): Promise<void> {
  const entry = await ctx.db.asService((tx) => enterApplication(ctx, tx, application, userId));
  if (entry.outcome === 'entered') return;
  const { clientId } = application;
  const url = `${ctx.config.baseUrl}/api/v1/access-requests`;
  const accessRequest = { method: 'POST', url, body: { clientId } };
  throw new AppError('access.required', { extensions: { accessRequest, requestStatus: entry.request } });
}
