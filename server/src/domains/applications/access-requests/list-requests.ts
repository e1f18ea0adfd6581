import { sql, type SQL } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Caller, Tx } from '../../../db/index.ts';
import type { Page } from '../list-applications.ts';
import { adminRole } from '../resolve-roles.ts';
import type { ReceivedRequest, RequestObject } from './schemas.ts';

/**
 * The open requests for access to applications that the caller administers, oldest first, and how many
 * there are.
 */
export async function listRequests(
  ctx: Ctx,
  { userId, ...session }: Caller,
  page: Page,
): Promise<{ items: ReceivedRequest[]; total: number }> {
  const isForCaller = sql`r.status = 'pending' and exists (
    select from apps.memberships m
     where m.application_id = r.application_id and m.user_id = ${userId} and m.role = ${adminRole})`;
  return ctx.db.asServiceFor({ userId, ...session }, async (tx) => {
    const rows = await selectRows(tx, isForCaller, sql`r.created_at, r.id`, page);
    return { items: rows.map(toReceived), total: await countRows(tx, isForCaller) };
  });
}

/** What the caller has asked for, newest first, and how many requests there are. */
export async function listOwnRequests(
  ctx: Ctx,
  { userId, ...session }: Caller,
  page: Page,
): Promise<{ items: RequestObject[]; total: number }> {
  const isOwn = sql`r.user_id = ${userId}`;
  return ctx.db.asServiceFor({ userId, ...session }, async (tx) => {
    const rows = await selectRows(tx, isOwn, sql`r.created_at desc, r.id desc`, page);
    return { items: rows.map(toOwn), total: await countRows(tx, isOwn) };
  });
}

/** One request as its maker sees it. `tx` is the service's. */
export async function readOwnRequest(tx: Tx, id: string): Promise<RequestObject> {
  return toOwn(await readRow(tx, id));
}

/** One request as those see it who decide. `tx` is the service's. */
export async function readReceivedRequest(tx: Tx, id: string): Promise<ReceivedRequest> {
  return toReceived(await readRow(tx, id));
}

type Times = { createdAt: Date | string; decidedAt: Date | string | null };
type Row = Omit<RequestObject, keyof Times> & Times & ReceivedRequest['user'];

async function readRow(tx: Tx, id: string): Promise<Row> {
  const [row] = await selectRows(tx, sql`r.id = ${id}`, sql`r.id`, { limit: 1, offset: 0 });
  if (!row) throw new Error('A request that was just written is not there');
  return row;
}

async function selectRows(tx: Tx, condition: SQL, order: SQL, { limit, offset }: Page): Promise<Row[]> {
  const { rows } = await tx.execute<Row>(sql`
    select r.id, r.application_id as "applicationId", a.client_id as "clientId", a.name as "applicationName",
           r.user_id as "userId", r.message, r.status, r.granted_role as role, r.decided_reason as reason,
           r.created_at as "createdAt", r.decided_at as "decidedAt",
           u.email, u.email_verified_at is not null as "emailVerified", u.name, u.username
      from apps.access_requests r
      join apps.applications a on a.id = r.application_id
      join auth.users u on u.id = r.user_id
     where ${condition} order by ${order} limit ${limit} offset ${offset}`);
  return rows;
}

async function countRows(tx: Tx, condition: SQL): Promise<number> {
  const { rows } = await tx.execute<{ count: number }>(
    sql`select count(*)::int as count from apps.access_requests r where ${condition}`,
  );
  return rows[0]?.count ?? 0;
}

function toOwn(row: Row): RequestObject {
  const { id, applicationId, clientId, applicationName, userId, message, status, role, reason } = row;
  return {
    id,
    applicationId,
    clientId,
    applicationName,
    userId,
    message,
    status,
    role,
    reason,
    createdAt: new Date(row.createdAt).toISOString(),
    decidedAt: row.decidedAt === null ? null : new Date(row.decidedAt).toISOString(),
  };
}

function toReceived(row: Row): ReceivedRequest {
  const { email, emailVerified, name, username } = row;
  return { ...toOwn(row), user: { email, emailVerified, name, username } };
}
