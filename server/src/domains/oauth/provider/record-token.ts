import { Provider, type AccessToken, type ClientCredentials, type JWTStructured } from 'oidc-provider';
import type { Ctx } from '../../../ctx.ts';
import { currentExchange, exchangeAtHand, inExchange } from '../exchange.ts';
import { readRoles } from '../read-roles.ts';
import { withoutNulls } from '../stores/source.ts';
import { toRow, type WrittenClaims } from '../stores/access-token-store.ts';
import { isDue } from '../is-due.ts';

type Token = AccessToken | ClientCredentials;
type Details = Record<string, unknown>;

/**
 * What an access token says beyond the protocol: for a person, their role in the application as it is now,
 * and the authorization that it lives and dies with.
 */
export async function describeToken(ctx: Ctx, token: Token): Promise<Details | undefined> {
  if (token.kind !== 'AccessToken' || !('grantId' in token)) return undefined;
  const { accountId, grantId, client } = token;
  const applicationId = String(client?.['application_id']);
  const roles = await inExchange(ctx, (tx) => readRoles(tx, applicationId, accountId));
  const act = currentExchange()?.actor;
  return { sid: grantId, ...authenticationOf(), ...roles, ...(act ? { act } : {}) };
}

/** How and when the person showed who they are, as the code or refresh token says. @see RFC 9068 §2.2.1 */
function authenticationOf(): Details {
  const {
    AuthorizationCode: code,
    RefreshToken: refresh,
    DeviceCode: device,
  } = Provider.ctx?.oidc.entities ?? {};
  const source = refresh ?? code ?? device;
  return withoutNulls({ acr: source?.acr, amr: source?.amr, auth_time: source?.authTime });
}

/**
 * Notes what a token comes with that is about to be signed: it holds only if its authorization does. A token
 * speaks for itself; what it does not say is written down. @see RFC 9068 §2.2
 */
export async function recordToken(ctx: Ctx, token: Token, { payload }: JWTStructured): Promise<void> {
  if (ctx.config.jwtIssuer !== ctx.config.baseUrl) payload['iss'] = ctx.config.jwtIssuer;
  if (token.kind !== 'AccessToken' || !('grantId' in token) || token.grantId === undefined) return;
  const { deeds } = exchangeAtHand();
  deeds.authorizationId = token.grantId;
  noteUse(ctx);
  const claims = claimsAskedFor();
  if (!claims) return;
  const applicationId = String(token.client?.['application_id']);
  deeds.accessTokens.push({ ...toRow(payload as WrittenClaims, applicationId), claims });
}

/** Notes that an application was given a token under its grant, to the minute. */
function noteUse(ctx: Ctx): void {
  const { deeds, grantId, known } = exchangeAtHand();
  if (grantId !== undefined && isDue(ctx, known.authorization?.grantUsedAt)) deeds.usedGrantId = grantId;
}

/**
 * The claims that the request for this token asked for one by one. The library hands them on only to tokens
 * that are for no API; ours always are for one, this service included.
 * @see OpenID Connect Core 1.0 §5.5
 */
function claimsAskedFor(): Details | null {
  const {
    AuthorizationCode: code,
    RefreshToken: refresh,
    DeviceCode: device,
  } = Provider.ctx?.oidc.entities ?? {};
  return ((refresh ?? code ?? device)?.claims as Details | undefined) ?? null;
}
