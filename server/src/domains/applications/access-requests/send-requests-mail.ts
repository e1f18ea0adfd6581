import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { JobData } from '../../../jobs/index.ts';
import { accessRequestsMail, type Asking } from '../../../mail/templates.ts';

/** More people are only counted. */
const namesMax = 20;

/**
 * Job: tells an administrator of an application who asks for access; not of those whose request has been
 * decided or withdrawn meanwhile. Rejects when the mail was not taken.
 */
export async function sendRequestsMail(
  ctx: Ctx,
  { requestIds, email }: JobData['send-access-requests-mail'],
): Promise<void> {
  const { rows } = await ctx.db.asService((tx) =>
    tx.execute<Asking & { applicationName: string }>(sql`
      select u.email, u.name, u.email_verified_at is not null as "isEmailVerified", a.name as "applicationName"
        from apps.access_requests r
        join apps.applications a on a.id = r.application_id
        join auth.users u on u.id = r.user_id
       where r.id in ${requestIds} and r.status = 'pending' and u.is_active
       order by r.created_at, r.id`),
  );
  const [first] = rows;
  if (!first) return;
  const decideUrl = `${ctx.config.appUrl}/access-requests`;
  const { applicationName } = first;
  const people = { named: rows.slice(0, namesMax), count: rows.length };
  await ctx.mail.send(accessRequestsMail({ to: email, applicationName, people, decideUrl }));
}
