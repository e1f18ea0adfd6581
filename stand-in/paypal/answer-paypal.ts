import { createHash } from 'node:crypto';
import type { Call, Reply } from '../lib/call.ts';
import { findRoute } from '../lib/router.ts';
import type { World } from '../world.ts';
import { Body } from './body.ts';
import { PayPalRefusal } from './refusal.ts';
import { paypalRoutes } from './routes.ts';

const tokenSeconds = 32_400;
const rememberedMs = 6 * 3_600_000;

/** Who may call: the app's id and its secret. */
export type Credentials = { clientId: string; clientSecret: string };

/**
 * Answers a call of PayPal's API. A call with a request id is done once: the same call again gets the same
 * answer, another one with the same id is refused.
 */
export function answerPayPal(world: World, call: Call, credentials: Credentials): Reply {
  const debugId = world.randomText(13, 'abcdef0123456789');
  const headers = { 'paypal-debug-id': debugId };
  try {
    if (call.path === '/v1/oauth2/token')
      return { status: 200, body: giveToken(world, call, credentials), headers };
    checkToken(world, call);
    const key = call.method === 'POST' ? call.headers['paypal-request-id'] : undefined;
    const { status = 200, body } = key === undefined ? run(world, call) : once(world, call, key);
    return { status, body: shortened(call, body), headers };
  } catch (error) {
    if (!(error instanceof PayPalRefusal)) throw error;
    const { code: name, message, details, links } = error;
    return { status: error.status, body: { name, message, debug_id: debugId, details, links }, headers };
  }
}

function giveToken(world: World, call: Call, { clientId, clientSecret }: Credentials) {
  const expected = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
  if (call.headers.authorization !== expected) {
    throw new PayPalRefusal(401, 'invalid_client', 'Client Authentication failed');
  }
  if (new URLSearchParams(call.body.toString()).get('grant_type') !== 'client_credentials') {
    throw new PayPalRefusal(400, 'unsupported_grant_type', 'unsupported grant_type');
  }
  const token = `A21AA${world.randomText(60)}`;
  const now = world.sentAt().getTime();
  const { tokens } = world.state.paypal;
  for (const [old, until] of Object.entries(tokens)) if (until < now) delete tokens[old];
  tokens[token] = now + tokenSeconds * 1000;
  return {
    scope: 'https://uri.paypal.com/services/payments/payment https://uri.paypal.com/services/subscriptions',
    access_token: token,
    token_type: 'Bearer',
    app_id: 'APP-STANDIN',
    expires_in: tokenSeconds,
    nonce: `${new Date(now).toISOString()}${world.randomText(20)}`,
  };
}

function checkToken(world: World, call: Call): void {
  const token = /^Bearer (\S+)$/.exec(call.headers.authorization ?? '')?.[1] ?? '';
  const until = Object.hasOwn(world.state.paypal.tokens, token)
    ? world.state.paypal.tokens[token]
    : undefined;
  if (until !== undefined && until > world.sentAt().getTime()) return;
  throw new PayPalRefusal(
    401,
    'AUTHENTICATION_FAILURE',
    'Authentication failed due to invalid authentication credentials or a missing Authorization header.',
  );
}

function run(world: World, call: Call): { status?: number; body: unknown } {
  const route = findRoute(paypalRoutes, call.method, call.path);
  if (route === undefined) throw PayPalRefusal.notFound();
  const body = Body.parse(call.body);
  return route.answer(world, { id: route.id, body, query: new URLSearchParams(call.query) });
}

function once(world: World, call: Call, key: string): { status?: number; body: unknown } {
  const { answers } = world.state.paypal;
  const now = world.sentAt().getTime();
  const fingerprint = createHash('sha256')
    .update(`${call.method} ${call.path}\n${call.body.toString()}`)
    .digest('hex');
  const known = answers[key];
  if (known && known.at > now - rememberedMs) {
    if (known.fingerprint === fingerprint) return { status: 200, body: known.body };
    throw PayPalRefusal.unprocessable(
      'DUPLICATE_REQUEST_ID',
      'The value of PayPal-Request-Id header has already been used.',
    );
  }
  const answer = run(world, call);
  answers[key] = { status: answer.status ?? 200, body: structuredClone(answer.body), fingerprint, at: now };
  return answer;
}

/** Without `Prefer: return=representation`, what was made or changed is only named. */
function shortened(call: Call, body: unknown): unknown {
  const isWhole = call.headers.prefer === 'return=representation' || call.method === 'GET';
  if (isWhole || typeof body !== 'object' || body === null) return body;
  const { id, status, links } = body as Record<string, unknown>;
  return call.path.startsWith('/v2/') && !call.path.endsWith('/capture') ? { id, status, links } : body;
}
