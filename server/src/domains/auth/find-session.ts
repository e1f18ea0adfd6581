import { and, eq, gt, isNull, sql } from 'drizzle-orm';
import type { Ctx } from '../../ctx.ts';
import { readDocument, type RowDocument } from '../../db/documents.ts';
import type { Tx } from '../../db/index.ts';
import { hashOpaqueToken } from '../../lib/secrets.ts';
import { findUser } from '../users/index.ts';
import { sessions } from './tables.ts';

/** A session that lives, of an active person. */
export type LiveSession = {
  id: string;
  userId: string;
  /** When the person showed last that it is them. */
  authenticatedAt: Date;
  /** How they did. @see RFC 8176 */
  amr: string[];
  createdAt: Date;
  expiresAt: Date;
};

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The living session with this id, or of this sign-in cookie. `tx` is the service's. */
export async function findSession(
  ctx: Ctx,
  tx: Tx,
  by: { id: string } | { cookie: string },
): Promise<LiveSession | undefined> {
  if ('id' in by && !uuidPattern.test(by.id)) return undefined;
  const [row] = await tx
    .select()
    .from(sessions)
    .where(
      and(
        'id' in by ? eq(sessions.id, by.id) : eq(sessions.cookieHash, hashOpaqueToken(by.cookie)),
        isNull(sessions.revokedAt),
        gt(sessions.expiresAt, ctx.clock.now()),
      ),
    );
  return row && (await findUser(tx, row.userId))?.isActive ? toLiveSession(row) : undefined;
}

/** The living session that SQL gave as a document of its row. */
export function readSessionDocument(document: RowDocument): LiveSession {
  return toLiveSession(readDocument(sessions, document));
}

function toLiveSession(row: typeof sessions.$inferSelect): LiveSession {
  const { id, userId, amr, createdAt, expiresAt } = row;
  return { id, userId, authenticatedAt: row.authenticatedAt ?? createdAt, amr, createdAt, expiresAt };
}

/**
 * Notes that a session was used, and gives it another sign-in cookie. The one before opens nothing any more.
 * `tx` is the service's.
 */
export async function touchSession(
  ctx: Ctx,
  tx: Tx,
  id: string,
  { cookie, authenticatedAt }: { cookie: string; authenticatedAt?: Date },
): Promise<void> {
  await tx.execute(sql`
    select auth.touch_session(
             ${id}, ${hashOpaqueToken(cookie)}, ${authenticatedAt ?? null}, ${ctx.clock.now()})`);
}
