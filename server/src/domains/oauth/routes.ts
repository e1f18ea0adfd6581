import { Readable } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../../app.ts';
import type { Ctx } from '../../ctx.ts';
import { limits, type LimitPolicy } from '../../http/limits.ts';
import { answerInOauthForm } from '../../http/oauth-error.ts';
import { originOf } from '../../http/origin.ts';
import { sendReactPage } from '../../http/pages/react-page.ts';
import { readSignInCookie } from '../../http/sign-in-cookie.ts';
import type { Resolve } from '../../lib/find-addresses.ts';
import type { Endpoint, ExchangeOptions } from './exchange.ts';
import { addAccountRoutes } from './account/routes.ts';
import { openingOfAuthorizationRequest, openingOfTokenRequest, type Opening } from './opening.ts';
import { assertStorableRequest } from './assert-storable-request.ts';
import { addInteractionRoutes } from './interactions/routes.ts';
import { addJsonFlowRoutes } from './json-flow/routes.ts';
import { addRegistrationRoute } from './registration/routes.ts';
import { createProviderHost, type ProviderHost } from './provider/provider-host.ts';
import { runRequest } from './provider/run-request.ts';
import { verifyPresentedToken } from './stores/access-token-store.ts';

type Mounted = {
  method: 'GET' | 'POST';
  url: string;
  endpoint: Endpoint;
  /** Changes the form on its way to the library, and what is known of the request. */
  limit?: LimitPolicy;
  prepare?: (ctx: Ctx, form: URLSearchParams, options: ExchangeOptions) => Promise<void> | void;
};

/** What the library answers, at the root of the origin. */
const mounted: Mounted[] = [
  { method: 'GET', url: '/.well-known/openid-configuration', endpoint: 'other' },
  { method: 'GET', url: '/.well-known/oauth-authorization-server', endpoint: 'other' },
  { method: 'GET', url: '/authorize', endpoint: 'authorize' },
  { method: 'GET', url: '/authorize/:uid', endpoint: 'resume' },
  { method: 'POST', url: '/oauth/token', endpoint: 'token' },
  { method: 'POST', url: '/oauth/revoke', endpoint: 'revoke', prepare: swapToken },
  { method: 'POST', url: '/oauth/introspect', endpoint: 'introspect', prepare: swapToken },
  { method: 'POST', url: '/oauth/par', endpoint: 'other' },
  { method: 'POST', url: '/oauth/device', endpoint: 'other' },
  { method: 'GET', url: '/userinfo', endpoint: 'userinfo' },
  { method: 'POST', url: '/userinfo', endpoint: 'userinfo' },
  { method: 'GET', url: '/device', endpoint: 'device' },
  {
    method: 'POST',
    url: '/device',
    endpoint: 'device',
    prepare: readDeviceDecision,
    limit: limits.userCode,
  },
  { method: 'GET', url: '/device/:uid', endpoint: 'resume' },
  { method: 'GET', url: '/logout', endpoint: 'other' },
  { method: 'POST', url: '/logout/confirm', endpoint: 'other', prepare: readSignOutDecision },
  { method: 'GET', url: '/logout/success', endpoint: 'other' },
];

/** Requests that spend or end something, and lock what they do it to. */
const locking = new Set<Endpoint>(['token', 'revoke']);

/** Requests that prove who the application is; an address that fails too often has to wait. */
const authenticating = new Set<Endpoint>(['token', 'revoke', 'introspect']);

/** The endpoints of OAuth 2.1 and OpenID Connect, and the pages that belong to them. */
export function addOauthRoutes(app: App, ctx: Ctx, resolve?: Resolve): void {
  const host = createProviderHost(ctx, { resolve, countRegistration: app.countRegistration });
  void app.register(async (scope) => {
    const routes = scope as unknown as App;
    routes.removeAllContentTypeParsers();
    routes.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
    routes.setErrorHandler(answerInOauthForm);
    for (const one of mounted) addMounted(routes, ctx, host, one);
    addRedirects(routes);
  });
  addInteractionRoutes(app, ctx, host);
  addAccountRoutes(app, ctx);
  if (ctx.config.oauthRegistration !== 'off') addRegistrationRoute(app, ctx);
  addJsonFlowRoutes(app, ctx, host);
}

function addMounted(app: App, ctx: Ctx, host: ProviderHost, one: Mounted): void {
  const { method, url, limit } = one;
  app.route({
    method,
    url,
    config: { writesRaw: true, ...(limit ? { limit } : {}) },
    schema: { hide: true },
    handler: (request, reply) => letLibraryAnswer(ctx, host, one, request, reply),
  });
}

async function letLibraryAnswer(
  ctx: Ctx,
  host: ProviderHost,
  { endpoint, prepare }: Mounted,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const options: ExchangeOptions = {
    endpoint,
    requestId: request.id,
    origin: originOf(request),
    locks: locking.has(endpoint),
  };
  const form = new URLSearchParams(bodyOf(request));
  assertStorableRequest(form);
  assertStorableRequest(queryOf(request));
  if (endpoint === 'authorize') await refreshClientOf(host, request);
  const newIncoming = await prepareIncoming(ctx, request, options, prepare);
  options.opening = await openingOf(ctx, host, { endpoint, form }, request);
  const { failures } = request.server;
  if (authenticating.has(endpoint)) await failures.assertFew(request);
  const answer = await runRequest(host, newIncoming, reply.raw, options);
  if (reply.raw.statusCode === 401 && authenticating.has(endpoint)) await countFailure(request);
  return answer ? sendReactPage(reply, answer.page, answer) : reply.hijack();
}

/** What the more common requests ask the database for is asked in one statement. */
async function openingOf(
  ctx: Ctx,
  host: ProviderHost,
  { endpoint, form }: { endpoint: Endpoint; form: URLSearchParams },
  request: FastifyRequest,
): Promise<Opening | undefined> {
  if (endpoint === 'token') {
    if (!formType.test(request.headers['content-type'] ?? '')) return undefined;
    const opening = openingOfTokenRequest(ctx, form, request.headers.authorization);
    if (opening) await host.refreshClient(opening.clientId, originOf(request));
    return opening;
  }
  const { client_id: clientId } = request.query as { client_id?: unknown };
  if (endpoint !== 'authorize' || typeof clientId !== 'string') return undefined;
  return openingOfAuthorizationRequest(ctx, clientId, readSignInCookie(ctx.config, request));
}

/**
 * The library takes these by GET only, since a form on another site would come without our cookie. So they
 * are asked for again by GET. @see OpenID Connect Core 1.0 §3.1.2.1
 */
function addRedirects(app: App): void {
  for (const url of ['/authorize', '/logout']) {
    app.post(url, { schema: { hide: true } }, (request, reply) =>
      reply.redirect(`${url}?${new URLSearchParams(bodyOf(request)).toString()}`, 303),
    );
  }
  app.get('/v2/logout', { schema: { hide: true } }, (request, reply) => {
    const query = new URL(request.url, 'http://localhost').searchParams;
    const returnTo = query.get('returnTo');
    if (returnTo !== null) query.set('post_logout_redirect_uri', returnTo);
    query.delete('returnTo');
    return reply.redirect(`/logout?${query.toString()}`, 303);
  });
}

async function refreshClientOf(host: ProviderHost, request: FastifyRequest): Promise<void> {
  const { client_id: clientId } = request.query as { client_id?: unknown };
  if (typeof clientId === 'string') await host.refreshClient(clientId, originOf(request));
}

/** The answer is on its way; that there will be one time too many is said next time. */
async function countFailure(request: FastifyRequest): Promise<void> {
  await request.server.failures.count(request).catch(() => {});
}

function queryOf({ url }: FastifyRequest): URLSearchParams {
  const start = url.indexOf('?');
  return new URLSearchParams(start === -1 ? '' : url.slice(start));
}

function bodyOf(request: FastifyRequest): string {
  return typeof request.body === 'string' ? request.body : '';
}

const formType = /^application\/x-www-form-urlencoded\s*(;|$)/i;

/** The request once more, as often as it is asked for, for a library that reads the body itself. */
async function prepareIncoming(
  ctx: Ctx,
  request: FastifyRequest,
  options: ExchangeOptions,
  prepare: Mounted['prepare'],
): Promise<() => IncomingMessage> {
  const { raw } = request;
  let body = bodyOf(request);
  let url = raw.url ?? '/';
  if (prepare && formType.test(request.headers['content-type'] ?? '')) {
    const form = new URLSearchParams(body);
    await prepare(ctx, form, options);
    body = form.toString();
  }
  if (options.endpoint === 'device' && raw.method === 'GET') url = takeUserCode(url, options);
  const headers = { ...raw.headers };
  delete headers['transfer-encoding'];
  if (headers['content-length'] !== undefined || body !== '')
    headers['content-length'] = String(Buffer.byteLength(body));
  const { method, httpVersion, httpVersionMajor, httpVersionMinor, socket } = raw;
  const head = { url, method, httpVersion, httpVersionMajor, httpVersionMinor, socket };
  return () => {
    const stream = new Readable({ read: () => {} });
    if (body !== '') stream.push(Buffer.from(body));
    stream.push(null);
    return Object.assign(stream, { ...head, headers: { ...headers } }) as unknown as IncomingMessage;
  };
}

/** A link with the code in it fills the form in; the person still has to send it. @see RFC 8628 §3.3.1 */
function takeUserCode(target: string, options: ExchangeOptions): string {
  const { pathname, searchParams } = new URL(target, 'http://localhost');
  const userCode = searchParams.get('user_code');
  if (userCode !== null) options.userCode = userCode.slice(0, 32);
  return pathname;
}

/** Access tokens are JWTs, which the library looks up by their `jti` once we have verified them. */
async function swapToken(ctx: Ctx, form: URLSearchParams, options: ExchangeOptions): Promise<void> {
  const [token, ...others] = form.getAll('token');
  if (token === undefined || others.length > 0 || !token.includes('.')) return;
  const verified = await verifyPresentedToken(ctx, token);
  if (verified) options.verifiedToken = verified;
  form.set('token', verified?.jti ?? 'not-a-token-of-ours');
}

function readDeviceDecision(_ctx: Ctx, form: URLSearchParams): void {
  const decision = form.get('decision');
  form.delete('decision');
  if (decision === 'confirm') form.set('confirm', 'yes');
  if (decision === 'deny') form.set('abort', 'yes');
}

function readSignOutDecision(_ctx: Ctx, form: URLSearchParams): void {
  if (form.get('decision') === 'sign-out') form.set('logout', 'yes');
  form.delete('decision');
}
