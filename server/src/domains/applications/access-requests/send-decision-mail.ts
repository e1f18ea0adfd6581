import { sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { JobData } from '../../../jobs/index.ts';
import { accessDecisionMail } from '../../../mail/templates.ts';

type Decided = {
  to: string;
  applicationName: string;
  clientUri: string | null;
  status: string;
  role: string | null;
  reason: string | null;
};

/** Job: tells whoever asked for access what became of it. Rejects when the mail was not taken. */
export async function sendDecisionMail(
  ctx: Ctx,
  { requestId }: JobData['send-access-decision-mail'],
): Promise<void> {
  const { rows } = await ctx.db.asService((tx) =>
    tx.execute<Decided>(sql`
      select u.email as "to", a.name as "applicationName", a.client_uri as "clientUri", r.status,
             r.granted_role as role, r.decided_reason as reason
        from apps.access_requests r
        join apps.applications a on a.id = r.application_id
        join auth.users u on u.id = r.user_id
       where r.id = ${requestId} and u.is_active`),
  );
  const [decided] = rows;
  if (!decided) return;
  const { status, role, reason, ...letter } = decided;
  const decision = status === 'approved' && role !== null ? { role } : { reason };
  await ctx.mail.send(accessDecisionMail({ ...letter, decision }));
}
