import type { AccountView } from '../../../../web/src/page.ts';
import type { Ctx } from '../../ctx.ts';
import type { Caller } from '../../db/index.ts';
import { readUser, type User } from '../users/index.ts';
import { findSession } from './find-session.ts';

/** Who is signed in at a browser with this cookie, if anybody is. */
export async function findBrowserCaller(ctx: Ctx, cookie: string | undefined): Promise<Caller | undefined> {
  if (cookie === undefined) return undefined;
  const session = await ctx.db.asService((tx) => findSession(ctx, tx, { cookie }));
  return session && { userId: session.userId, sessionId: session.id };
}

/** The signed-in person as pages show them. */
export async function readOwnAccount(ctx: Ctx, caller: Caller): Promise<AccountView> {
  const { email, name } = await readOwnUser(ctx, caller);
  return { email, name };
}

/** All of the signed-in person. Throws `auth.session_ended`. */
export function readOwnUser(ctx: Ctx, caller: Caller): Promise<User> {
  return ctx.db.asServiceFor(caller, (tx) => readUser(tx, caller.userId));
}
