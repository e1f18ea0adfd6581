import { isIP } from 'node:net';
import { and, eq, gt, sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import type { Tx } from '../../db/index.ts';
import type { JobData } from '../../jobs/index.ts';
import type { RequestOrigin } from '../audit/index.ts';
import { describeDevice } from './describe-device.ts';
import { recordSecurityEvent } from './record-security-event.ts';
import { securityEvents } from './tables.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** What may have happened to an account. Codes are stable; see the README of this domain. */
export type SuspicionKind = Exclude<JobData['send-security-mail']['kind'], 'new_device'>;

type Suspicion = { userId: string; email: string; sessionId?: string; kind: SuspicionKind };

/**
 * Writes into the trail that something looks like an attack on this account, once an hour of a kind, and
 * tells its owner, once a day of whatever kind. `tx` is the service's.
 */
export async function recordSuspicion(
  ctx: Ctx,
  tx: Tx,
  { userId, email, sessionId, kind }: Suspicion,
  origin: RequestOrigin,
): Promise<void> {
  ctx.metrics.suspicions.inc({ kind });
  const now = ctx.clock.now().getTime();
  const recent = await tx
    .select({
      kind: sql<string>`${securityEvents.details}->>'kind'`,
      isTold: sql<boolean>`coalesce((${securityEvents.details}->>'mailed')::boolean, false)`,
      at: securityEvents.createdAt,
    })
    .from(securityEvents)
    .where(
      and(
        eq(securityEvents.userId, userId),
        eq(securityEvents.type, 'account.suspicious'),
        gt(securityEvents.createdAt, new Date(now - dayMs)),
      ),
    );
  if (recent.some((event) => event.kind === kind && event.at.getTime() > now - hourMs)) return;
  const mailed = ctx.config.signInMails && !recent.some((event) => event.isTold);
  const details = { kind, mailed };
  await recordSecurityEvent(ctx, tx, { type: 'account.suspicious', userId, sessionId, details }, origin);
  if (mailed) await enqueueSecurityMail(ctx, tx, { email, kind }, origin);
}

type SecurityMail = {
  email: string;
  kind: JobData['send-security-mail']['kind'];
  deviceName?: string | undefined;
};

/** Has a mail of this kind sent, unless the operator sends none. */
export async function enqueueSecurityMail(
  ctx: Ctx,
  tx: Tx,
  { email, kind, deviceName }: SecurityMail,
  { ipAddress, userAgent }: RequestOrigin,
): Promise<void> {
  if (!ctx.config.signInMails) return;
  const device = describeDevice(deviceName, userAgent);
  const at = ctx.clock.now().toISOString();
  // A careless proxy lets clients write here what they like.
  const address = isIP(ipAddress) === 0 ? null : ipAddress;
  await ctx.jobs.enqueue(tx, 'send-security-mail', { email, kind, device, ipAddress: address, at });
}
