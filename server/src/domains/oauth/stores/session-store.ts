import { and, eq, gt } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import { later, type Tx } from '../../../db/index.ts';
import {
  acrOf,
  endSessions,
  findSession,
  recordSecurityEvent,
  touchSession,
  type LiveSession,
} from '../../auth/index.ts';
import { Provider } from 'oidc-provider';
import { currentExchange, exchangeAtHand } from '../exchange.ts';
import { isDue } from '../is-due.ts';
import { browserStates } from '../page-tables.ts';
import { withoutNulls } from './source.ts';
import { digestOf, toSeconds, type Payload, type Store } from './to-adapter.ts';

/** How long a form for a device or for signing out may stay open. */
const stateTtlSeconds = 3600;

type LibraryState = {
  secret?: string;
  clientId?: string;
  state?: string;
  postLogoutRedirectUri?: string;
};
type State = typeof browserStates.$inferSelect;

/**
 * The library's session is the person's: a row of `auth.sessions`, found by the sign-in cookie. Only sign-in
 * opens one. A browser in which nobody is signed in has no more than the state of a form.
 */
export function createSessionStore(ctx: Ctx): Store {
  return {
    async save(tx, cookie, payload) {
      const uid = String(payload.uid);
      const known = currentExchange()?.known.signIn;
      const isKnown = known?.session?.id === uid;
      const session = isKnown ? known.session : await findSession(ctx, tx, { id: uid });
      if (isKnown && known.cookie === cookie && isSignInOf(known.session, payload)) {
        if (isDue(ctx, known.usedAt)) exchangeAtHand().deeds.usedSessionId = uid;
      } else if (session) await touchSession(ctx, later(tx), session.id, changesOf(cookie, payload));
      else if (payload.accountId) return;
      if (isKnown && !known.state && payload.state === undefined) return;
      await saveState(ctx, tx, {
        sessionUid: uid,
        cookieHash: session ? null : digestOf(cookie),
        ...(payload.state as LibraryState | undefined),
      });
    },
    async find(tx, cookie) {
      const known = currentExchange()?.known.signIn;
      if (known?.cookie === cookie) return toBrowser(cookie, known.session, known.state);
      const session = await findSession(ctx, tx, { cookie });
      const by = session ? { uid: session.id } : { cookie };
      return toBrowser(cookie, session, await readState(ctx, tx, by));
    },
    async findByUid(tx, uid) {
      const session = await findSession(ctx, tx, { id: uid });
      return session && toPayload(uid, session, undefined);
    },
    async destroy(tx, cookie) {
      // Before it saves a session under another cookie, the library removes the one under the old.
      if (isRenewed(cookie)) return;
      const session = await findSession(ctx, tx, { cookie });
      if (session) await signOut(ctx, tx, session);
      await tx.delete(browserStates).where(eq(browserStates.cookieHash, digestOf(cookie)));
    },
  };
}

function isRenewed(cookie: string): boolean {
  const session = Provider.ctx?.oidc?.session as { oldId?: string } | undefined;
  return session?.oldId === cookie;
}

/** Whether the library says of the session what we do: nobody has signed in since it was read. */
function isSignInOf(session: LiveSession | undefined, { loginTs }: Payload): boolean {
  return session !== undefined && loginTs === toSeconds(session.authenticatedAt);
}

function changesOf(cookie: string, { loginTs }: Payload): { cookie: string; authenticatedAt?: Date } {
  return typeof loginTs === 'number' ? { cookie, authenticatedAt: new Date(loginTs * 1000) } : { cookie };
}

/** Whoever is signed in, or else the browser in the middle of something, if it is. */
function toBrowser(
  cookie: string,
  session: LiveSession | undefined,
  state: State | undefined,
): Payload | undefined {
  if (session) return toPayload(cookie, session, state);
  return state && withoutNulls({ ...stateOf(state), jti: cookie, uid: state.sessionUid, kind: 'Session' });
}

function toPayload(cookie: string, session: LiveSession, state: State | undefined): Payload {
  return withoutNulls({
    ...(state && stateOf(state)),
    jti: cookie,
    uid: session.id,
    kind: 'Session',
    accountId: session.userId,
    loginTs: toSeconds(session.authenticatedAt),
    acr: acrOf(session.amr),
    amr: session.amr,
    iat: toSeconds(session.createdAt),
    exp: toSeconds(session.expiresAt),
  });
}

function stateOf({ formSecret, clientId, clientState, postLogoutRedirectUri }: State): { state: Payload } {
  return {
    state: withoutNulls({
      secret: formSecret,
      clientId,
      state: clientState,
      postLogoutRedirectUri,
    }),
  };
}

async function readState(
  ctx: Ctx,
  tx: Tx,
  { uid, cookie }: { uid?: string; cookie?: string },
): Promise<State | undefined> {
  const [state] = await tx
    .select()
    .from(browserStates)
    .where(
      and(
        gt(browserStates.expiresAt, ctx.clock.now()),
        uid === undefined
          ? eq(browserStates.cookieHash, digestOf(cookie ?? ''))
          : eq(browserStates.sessionUid, uid),
      ),
    );
  return state;
}

async function saveState(
  ctx: Ctx,
  tx: Tx,
  {
    sessionUid,
    cookieHash,
    secret,
    clientId,
    state,
    postLogoutRedirectUri,
  }: LibraryState & { sessionUid: string; cookieHash: Buffer | null },
): Promise<void> {
  if (secret === undefined && cookieHash === null) {
    await later(tx).delete(browserStates).where(eq(browserStates.sessionUid, sessionUid));
    return;
  }
  const values = {
    cookieHash,
    formSecret: secret ?? null,
    clientId: clientId ?? null,
    clientState: state ?? null,
    postLogoutRedirectUri: postLogoutRedirectUri ?? null,
    expiresAt: new Date(ctx.clock.now().getTime() + stateTtlSeconds * 1000),
  };
  await later(tx)
    .insert(browserStates)
    .values({ sessionUid, ...values })
    .onConflictDoUpdate({ target: browserStates.sessionUid, set: values });
}

async function signOut(ctx: Ctx, tx: Tx, { id, userId }: LiveSession): Promise<void> {
  const count = await endSessions(ctx, tx, { userId, only: id }, 'signed_out');
  const origin = currentExchange()?.origin;
  if (count === 0 || !origin) return;
  const event = { type: 'session.ended', userId, sessionId: id, details: { reason: 'signed_out' } } as const;
  await recordSecurityEvent(ctx, tx, event, origin);
}
