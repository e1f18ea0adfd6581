import { createHash } from 'node:crypto';
import { Form } from '../lib/form.ts';
import { findRoute } from '../lib/router.ts';
import type { Call, Reply } from '../lib/call.ts';
import type { World } from '../world.ts';
import { apiVersion } from './events.ts';
import { expand } from './expand.ts';
import { StripeRefusal } from './refusal.ts';
import { stripeRoutes } from './routes.ts';

const rememberedMs = 24 * 3_600_000;

/**
 * Answers a call of Stripe's API. A call with an idempotency key is done once: the same call again gets the
 * same answer, another one with the same key is refused. @see https://docs.stripe.com/api/idempotent_requests
 */
export function answerStripe(world: World, call: Call, secretKey: string): Reply {
  const headers = { 'request-id': world.newId('req_', 14), 'stripe-version': apiVersion };
  const key = call.method === 'POST' ? call.headers['idempotency-key'] : undefined;
  try {
    authenticate(call, secretKey);
    if (key === undefined) return { status: 200, body: run(world, call), headers };
    return { ...once(world, call, key), headers: { ...headers, 'idempotency-key': key } };
  } catch (error) {
    if (error instanceof StripeRefusal) return { status: error.status, body: error.body, headers };
    throw error;
  }
}

function authenticate(call: Call, secretKey: string): void {
  if (call.headers.authorization === `Bearer ${secretKey}`) return;
  const message = 'Invalid API Key provided.';
  throw new StripeRefusal(401, { type: 'invalid_request_error', message });
}

function run(world: World, call: Call): unknown {
  const route = findRoute(stripeRoutes, call.method, call.path);
  if (route === undefined) {
    const message = `Unrecognized request URL (${call.method}: ${call.path}).`;
    throw new StripeRefusal(404, { type: 'invalid_request_error', message });
  }
  const form = Form.parse(call.method === 'GET' ? call.query : call.body.toString() || call.query);
  return expand(world, route.answer(world, form, route.id), form.texts('expand'));
}

/** Answers that say that a parameter is wrong are not kept: nothing was done. */
function once(world: World, call: Call, key: string): { status: number; body: unknown } {
  const { answers } = world.state.stripe;
  const now = world.sentAt().getTime();
  const fingerprint = createHash('sha256')
    .update(`${call.method} ${call.path}\n${call.body.toString()}`)
    .digest('hex');
  const known = answers[key];
  if (known && known.at > now - rememberedMs) {
    if (known.fingerprint === fingerprint) return { status: known.status, body: known.body };
    const message =
      'Keys for idempotent requests can only be used with the same parameters they were first used with. ' +
      `Try using a key other than '${key}' if you meant to execute a different request.`;
    throw new StripeRefusal(400, { type: 'idempotency_error', message });
  }
  let answer: { status: number; body: unknown };
  try {
    answer = { status: 200, body: run(world, call) };
  } catch (error) {
    if (!(error instanceof StripeRefusal) || error.status !== 402) throw error;
    answer = { status: error.status, body: error.body };
  }
  answers[key] = { ...structuredClone(answer), fingerprint, at: now };
  return answer;
}
