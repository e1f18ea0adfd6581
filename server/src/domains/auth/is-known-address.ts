import { sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import { addressKey } from '../../lib/address.ts';
import { normalizeEmail } from '../../lib/email.ts';

const hourMs = 3_600_000;
const rememberedMs = 90 * 24 * hourMs;

/**
 * Whether the owner of this account is known to use this address, or its /64: a session was opened from there
 * and used within the last 90 days, or the password was reset from there within the last hour, which takes
 * their mailbox. Of the trail, which grows long under an attack, only that hour is read. One statement, so
 * that an unknown account costs the same.
 */
export async function isKnownAddress(ctx: Ctx, email: string, address: string): Promise<boolean> {
  const now = ctx.clock.now().getTime();
  const sessionsSince = new Date(now - rememberedMs).toISOString();
  const resetsSince = new Date(now - hourMs).toISOString();
  const { rows } = await ctx.db.asService((tx) =>
    tx.execute<{ address: string }>(sql`
      select distinct known.address
        from auth.users u cross join lateral (
          select s.ip_address as address from auth.sessions s
           where s.user_id = u.id and s.last_used_at >= ${sessionsSince}
          union all
          select e.ip_address from auth.security_events e
           where e.user_id = u.id and e.created_at >= ${resetsSince} and e.type = 'password.reset') known
       where u.email = ${normalizeEmail(email)} and known.address is not null`),
  );
  return rows.some((known) => addressKey(known.address) === addressKey(address));
}
