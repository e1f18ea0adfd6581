import { and, eq, sql, type SQL } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { writeDocument, type RowDocument } from '../../../db/documents.ts';
import { later, runUnit, type Tx } from '../../../db/index.ts';
import type { RequestOrigin } from '../../audit/index.ts';
import { readUserDocument, type User } from '../../users/index.ts';
import { endSessions } from '../end-sessions.ts';
import { readFactors } from '../factors/read-factors.ts';
import { findSession } from '../find-session.ts';
import { openSession, prepareSession, valuesOf, type Device } from '../open-session.ts';
import type { SignInAtOnce } from './sign-ins.ts';
import { recordSecurityEvent, securityEventRow } from '../record-security-event.ts';
import { accounts, passwords, securityEvents, sessions } from '../tables.ts';
import { tellOfSignIn, type NotedSignIn } from '../tell-of-sign-in.ts';
import { acrOf, type AuthenticationMethod } from './acr-of.ts';
import { lockAccount } from './lock-account.ts';
import { createPendingSignIn, type SecondFactorChallenge } from './pending-sign-in.ts';
import { raiseSession } from './raise-session.ts';
import { isRememberedDevice, type DeviceToken } from './remembered-devices.ts';

/** Somebody who has just shown who they are by a first factor, whichever it was. */
export type IdentifiedPerson = {
  userId: string;
  /** How they showed it; with `mfa` when that was two factors already. */
  amr: AuthenticationMethod[];
  /** When it was a password: its hash, which must still be theirs, and a better one to put in its place. */
  hash?: string;
  nextHash?: string | undefined;
  /** When it was an account at another provider, which must still be theirs. */
  accountId?: string;
};

/** Somebody whom another provider has just identified. */
export type VerifiedAccount = IdentifiedPerson & { accountId: string };

/** Where somebody signs in. */
export type SignInPlace = {
  device?: Device;
  /** What the device keeps when it is not to be asked for the second factor again. */
  deviceToken?: string | undefined;
  /** The sign-in cookie of the browser so far. */
  cookie?: string | undefined;
};

/** A session that was opened, or raised because the person was signed in at this browser already. */
export type SignedInSession = {
  id: string;
  expiresAt: Date;
  cookie: string;
  /** Absent for a session that was raised. */
  refreshToken?: string;
  amr: AuthenticationMethod[];
  authenticatedAt: Date;
};

export type SignInResult =
  | { outcome: 'signed_in'; user: User; session: SignedInSession; remembered?: DeviceToken }
  | { outcome: 'second_factor'; challenge: SecondFactorChallenge }
  | { outcome: 'refused' };

/**
 * The one way from a person who has shown a first factor to a session; whoever identifies people by whatever
 * means calls this and nothing else. Who has a second factor gets a challenge instead, unless they have shown
 * two already or the device is remembered; `finishSignIn` goes on from there. `refused`: the password has
 * been replaced meanwhile, or the account is deactivated.
 */
export async function signInPerson(
  ctx: Ctx,
  person: IdentifiedPerson,
  place: SignInPlace,
  origin: RequestOrigin,
): Promise<SignInResult> {
  const atOnce = prepareAtOnce(ctx, person, place, origin);
  const document = atOnce && (await ctx.signIns.open(atOnce));
  if (atOnce && document) {
    const session = { ...atOnce.session, amr: person.amr, authenticatedAt: ctx.clock.now() };
    return { outcome: 'signed_in', user: readUserDocument(document), session };
  }
  return runUnit(ctx.db, atOnce?.statement ?? lockPassword(person), async ({ opened, tx }) => {
    const user = opened
      ? await renewHash(ctx, tx, { user: readPerson(opened), person }, origin)
      : person.hash === undefined && (await holdAccount(tx, person));
    if (!user) return { outcome: 'refused' };
    const { userId, amr } = person;
    if (atOnce && opened?.['noted']) {
      const { session } = atOnce;
      await tellOfSignIn(ctx, tx, session, opened['noted'] as NotedSignIn, origin);
      return { outcome: 'signed_in', user, session: { ...session, amr, authenticatedAt: ctx.clock.now() } };
    }
    if (!amr.includes('mfa')) {
      const { methods } = await readFactors(tx, userId);
      if (methods.length > 0 && !(await isRememberedDevice(ctx, tx, userId, place.deviceToken))) {
        const pending = { ...person, device: place.device ?? {} };
        return { outcome: 'second_factor', challenge: await createPendingSignIn(ctx, tx, pending, methods) };
      }
    }
    const session = await enterSession(ctx, tx, { user, amr, place }, origin);
    await noteAccount(tx, session, person);
    return { outcome: 'signed_in', user, session };
  });
}

/**
 * The common case, in the statement that opens the transaction: a password that needs no better hash, shown
 * where nobody is signed in. It opens the session unless there is a second factor.
 */
function prepareAtOnce(
  ctx: Ctx,
  { userId, amr, hash, nextHash }: IdentifiedPerson,
  { device, cookie }: SignInPlace,
  origin: RequestOrigin,
): (SignInAtOnce & { statement: SQL }) | undefined {
  if (hash === undefined || nextHash !== undefined || cookie !== undefined) return undefined;
  const session = prepareSession(ctx, { userId, amr }, device ?? {}, origin);
  const event = { type: 'login.succeeded' as const, userId, sessionId: session.id };
  const row = writeDocument(securityEvents, securityEventRow(ctx, event, origin));
  const statement = sql`
    select person, noted from auth.sign_in_by_password(${hash}, ${valuesOf(session.rows)}, ${row})`;
  return { session, hash, event: row, statement };
}

/**
 * Holds what is replaced when sessions are ended, until the commit: the row of the password that was
 * verified, or else (`lockAccount`) the person's own. Then reads the person if it is still that password. Two
 * statements, so that the second sees what was committed while the first waited.
 */
function lockPassword({ userId, hash }: IdentifiedPerson): SQL | undefined {
  if (hash === undefined) return undefined;
  const isUnchanged = sql`p.user_id = ${userId} and p.hash = ${hash}`;
  return sql`
    select from auth.passwords p where ${isUnchanged} for update;
    select to_jsonb(u) as person
      from auth.users u
     where u.id = ${userId} and exists (select from auth.passwords p where ${isUnchanged})`;
}

/** The same for who has shown no password. Undefined when the account at a provider is theirs no more. */
async function holdAccount(tx: Tx, { userId, accountId }: IdentifiedPerson): Promise<User | undefined> {
  const user = await lockAccount(tx, userId);
  if (accountId === undefined || !user) return user;
  const [account] = await tx
    .select({ userId: accounts.userId })
    .from(accounts)
    .where(and(eq(accounts.id, accountId), eq(accounts.userId, userId)))
    .for('update');
  return account && user;
}

/** By which account at a provider a session came about: removing that one ends it. */
export async function noteAccount(
  tx: Tx,
  { id, refreshToken }: SignedInSession,
  { accountId }: Pick<IdentifiedPerson, 'accountId'>,
): Promise<void> {
  if (accountId === undefined || refreshToken === undefined) return;
  await later(tx).update(sessions).set({ accountId }).where(eq(sessions.id, id));
}

function readPerson(opened: Record<string, unknown>): User {
  return readUserDocument(opened['person'] as RowDocument);
}

/** Puts a better hash in the place of the one that was verified. Undefined for who is deactivated. */
async function renewHash(
  ctx: Ctx,
  tx: Tx,
  { user, person: { userId, nextHash } }: { user: User; person: IdentifiedPerson },
  origin: RequestOrigin,
): Promise<User | undefined> {
  if (!user.isActive) return undefined;
  if (nextHash !== undefined) {
    await later(tx)
      .update(passwords)
      .set({ hash: nextHash, updatedAt: ctx.clock.now() })
      .where(eq(passwords.userId, userId));
    await recordSecurityEvent(ctx, tx, { type: 'password.upgraded', userId }, origin);
  }
  return user;
}

export type Entry = { user: User; amr: AuthenticationMethod[]; place: SignInPlace };

/**
 * Opens a session for who has shown all that is needed. At a browser where they are signed in already, that
 * session is raised; somebody else's there ends. `tx` holds the person, see `signInPerson`.
 */
export async function enterSession(
  ctx: Ctx,
  tx: Tx,
  { user: { id: userId }, amr, place }: Entry,
  origin: RequestOrigin,
): Promise<SignedInSession> {
  const now = ctx.clock.now();
  const before =
    place.cookie === undefined ? undefined : await findSession(ctx, tx, { cookie: place.cookie });
  if (before?.userId === userId) {
    const which = { userId, sessionId: before.id, amr, renewsCookie: true };
    const raised = await raiseSession(ctx, tx, which, origin);
    if (raised?.cookie !== undefined) return { ...raised, cookie: raised.cookie, amr, authenticatedAt: now };
  } else if (before) {
    await endSessions(ctx, tx, { userId: before.userId, only: before.id }, 'signed_out');
    const event = { type: 'session.ended' as const, userId: before.userId, sessionId: before.id };
    await recordSecurityEvent(ctx, tx, { ...event, details: { reason: 'signed_out' } }, origin);
  }
  const session = await openSession(ctx, tx, { userId, amr }, place.device ?? {}, origin);
  const details = amr.length === 1 && amr[0] === 'pwd' ? {} : { methods: amr, acr: acrOf(amr) };
  await recordSecurityEvent(
    ctx,
    tx,
    { type: 'login.succeeded', userId, sessionId: session.id, details },
    origin,
  );
  return { ...session, amr, authenticatedAt: now };
}
