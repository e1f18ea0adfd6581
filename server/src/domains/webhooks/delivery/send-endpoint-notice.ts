import { eq, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { JobData } from '../../../jobs/index.ts';
import { endpointNoticeMail } from '../../../mail/templates.ts';
import { endpoints } from '../tables.ts';

/**
 * Job: tells an administrator of an application that an endpoint was switched off; not if it is on again by
 * now. Rejects when the mail was not taken.
 */
export async function sendEndpointNotice(
  ctx: Ctx,
  { endpointId, email }: JobData['send-endpoint-notice'],
): Promise<void> {
  const [found] = await ctx.db.asService((tx) =>
    tx
      .select({
        url: endpoints.url,
        reason: endpoints.disabledReason,
        applicationName: sql<string>`(select a.name from apps.applications a
          where a.id = ${endpoints.applicationId})`,
      })
      .from(endpoints)
      .where(eq(endpoints.id, endpointId)),
  );
  const { reason } = found ?? {};
  if (!found || (reason !== 'failing' && reason !== 'gone')) return;
  await ctx.mail.send(endpointNoticeMail({ to: email, ...found, reason }));
}
