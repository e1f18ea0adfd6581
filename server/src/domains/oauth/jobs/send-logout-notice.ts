import { and, eq, isNull, sql } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Resolve } from '../../../lib/find-addresses.ts';
import { newId } from '../../../lib/ids.ts';
import { findClientById, type Application } from '../../applications/index.ts';
import { fetchSafely } from '../fetch-safely.ts';
import { logoutNotices } from '../page-tables.ts';

const tokenTtlSeconds = 120;
const eventName = 'http://schemas.openid.net/event/backchannel-logout';

type Notice = typeof logoutNotices.$inferSelect;

/**
 * Tells an application that a person has signed out, and writes down what came of it. Rejects when it did not
 * arrive, so that it is tried again; an application that does not want to hear of it any more is no failure.
 * @see OpenID Connect Back-Channel Logout 1.0 §2.4, §2.5
 */
export async function sendLogoutNotice(ctx: Ctx, noticeId: string, resolve?: Resolve): Promise<void> {
  const found = await ctx.db.asService(async (tx) => {
    const [notice] = await tx
      .select()
      .from(logoutNotices)
      .where(and(eq(logoutNotices.id, noticeId), isNull(logoutNotices.deliveredAt)));
    return notice && { notice, application: await findClientById(tx, notice.applicationId) };
  });
  const uri = found?.application?.backchannelLogoutUri;
  if (!found?.application || !uri) return;
  const { notice, application } = found;
  const token = await signLogoutToken(ctx, notice, application.clientId, application.idTokenAlgorithm);
  const error = await post(ctx, uri, token, resolve);
  const facts = { applicationId: application.id, noticeId, attempt: notice.attempts + 1 };
  await ctx.db.asService((tx) =>
    tx
      .update(logoutNotices)
      .set({
        attempts: sql`${logoutNotices.attempts} + 1`,
        lastError: error ?? null,
        deliveredAt: error === undefined ? ctx.clock.now() : null,
      })
      .where(eq(logoutNotices.id, noticeId)),
  );
  if (error !== undefined) throw new Error(`the application was not told of a sign-out: ${error}`);
  ctx.log.info(facts, 'an application was told of a sign-out');
}

function signLogoutToken(
  ctx: Ctx,
  { userId, authorizationId }: Notice,
  clientId: string,
  algorithm: Application['idTokenAlgorithm'],
): Promise<string> {
  const issuedAt = Math.floor(ctx.clock.now().getTime() / 1000);
  const claims = {
    iss: ctx.config.baseUrl,
    aud: clientId,
    sub: userId,
    sid: authorizationId,
    iat: issuedAt,
    exp: issuedAt + tokenTtlSeconds,
    jti: newId(ctx),
    events: { [eventName]: {} },
  };
  return ctx.keys.sign(claims, 'logout+jwt', algorithm);
}

/** What went wrong, if anything did. */
async function post(
  { config }: Ctx,
  uri: string,
  token: string,
  resolve: Resolve | undefined,
): Promise<string | undefined> {
  const body = new URLSearchParams({ logout_token: token }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const mayBeLoopback = config.webhookAllowLoopback && !config.isProduction;
  try {
    const { status } = await fetchSafely(uri, { method: 'POST', headers, body }, { mayBeLoopback, resolve });
    return status === 200 || status === 204 ? undefined : `it answered ${status}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
