import { and, asc, eq, gt, inArray } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Tx } from '../../../db/index.ts';
import type { SecurityEventType } from '../security-event-meanings.ts';
import { securityEvents } from '../tables.ts';
import { linkTtlMinutes } from './create-link-token.ts';

/** So many links of a kind lie in a mailbox, still working, before no more are sent. */
const linksMax = 5;
/** What makes the links before it void. */
const replacements: SecurityEventType[] = ['password.reset', 'password.changed', 'account.reclaimed'];

/**
 * Whether one more link may go to this person. Anybody can ask for mails to somebody else, and the limits of
 * requests alone would let thousands a day through. Who is refused has working links in their mailbox. `type`
 * is the event that each link sent leaves in the trail.
 */
export async function mayMailLink(
  ctx: Ctx,
  tx: Tx,
  { userId, type }: { userId: string; type: SecurityEventType },
): Promise<boolean> {
  const since = new Date(ctx.clock.now().getTime() - linkTtlMinutes * 60_000);
  const events = await tx
    .select({ type: securityEvents.type })
    .from(securityEvents)
    .where(
      and(
        eq(securityEvents.userId, userId),
        gt(securityEvents.createdAt, since),
        inArray(securityEvents.type, [type, ...replacements]),
      ),
    )
    .orderBy(asc(securityEvents.createdAt), asc(securityEvents.id));
  const lastReplacement = events.findLastIndex((event) => event.type !== type);
  return events.length - 1 - lastReplacement < linksMax;
}
