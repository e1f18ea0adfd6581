import type { AccountView } from '../../../../web/src/page.ts';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { readUser } from '../users/index.ts';
import { findSession } from './find-session.ts';

/** Who is signed in at a browser with this cookie, if anybody is. */
export async function findBrowserCaller(ctx: Ctx, cookie: string | undefined): Promise<Caller | undefined> {
  if (cookie === undefined) return undefined;
  const session = await ctx.db.asService((tx) => findSession(ctx, tx, { cookie }));
  return session && { userId: session.userId, sessionId: session.id };
}

/** Their role in this service, as it is now. */
export async function readOwnRole(ctx: Ctx, caller: Caller): Promise<'user' | 'admin'> {
  const { role } = await ctx.db.asServiceFor(caller, (tx) => readUser(tx, caller.userId));
  return role;
}

/** The signed-in person as pages show them. */
export async function readOwnAccount(ctx: Ctx, caller: Caller): Promise<AccountView> {
  const { email, name } = await ctx.db.asServiceFor(caller, (tx) => readUser(tx, caller.userId));
  return { email, name };
}
