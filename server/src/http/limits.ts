import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { App } from '../app.ts';
import type { Ctx } from '../ctx.ts';
import type { Caller } from '../db/index.ts';
import { AppError } from '../errors.ts';
import { addressKey } from '../lib/address.ts';
import { normalizeEmail } from '../lib/email.ts';
import { createCounters, type Count, type Counter, type Counters } from './limit-counters.ts';
import { signInOriginOf } from './origin.ts';
import { readSignInCookie } from './sign-in-cookie.ts';
import {
  createFailureCounters,
  watchFailures,
  type FailureCounters,
  type SignInWatch,
} from './sign-in-watch.ts';

/** How often one address, and one account, may call a route within a window. */
export type LimitPolicy = {
  /** Stands in the `RateLimit` headers; routes with the same name share their counters. */
  name: string;
  perAddress?: number;
  /** Counted by the signed-in user; without, by the `email` of the body, known or not, or the browser's. */
  perAccount?: number;
  /** 60 unless said otherwise. */
  windowSeconds?: number;
  /** For routes that take passwords: counts those that are wrong, and lets through whom the account knows. */
  watch?: SignInWatch;
};

/**
 * The limits that are tighter than the general one. A route names its own: `config: { limit: limits.login }`,
 * and `config: { limit: false }` exempts it from every limit. Why these: `docs/decisions/rate-limits.md`.
 */
export const limits = {
  register: { name: 'register', perAddress: 5, perAccount: 5 },
  login: { name: 'login', perAddress: 10, perAccount: 10 },
  forgotPassword: { name: 'forgot-password', perAddress: 3, perAccount: 3 },
  resendVerification: { name: 'resend-verification', perAddress: 3, perAccount: 3 },
  resetPassword: { name: 'reset-password', perAddress: 10 },
  verifyEmail: { name: 'verify-email', perAddress: 10 },
  changePassword: { name: 'change-password', perAddress: 5, perAccount: 5 },
  secondFactor: { name: 'second-factor', perAddress: 20 },
  stepUp: { name: 'step-up', perAddress: 10, perAccount: 10 },
  factors: { name: 'factors', perAddress: 20, perAccount: 20 },
  passkeyOptions: { name: 'passkey-options', perAddress: 30 },
  magicLink: { name: 'magic-link', perAddress: 3, perAccount: 3 },
  openMagicLink: { name: 'open-magic-link', perAddress: 10 },
  changeEmail: { name: 'change-email', perAddress: 5, perAccount: 5 },
  sessionToToken: { name: 'session-to-token', perAddress: 30 },
  upstream: { name: 'upstream', perAddress: 30 },
  authorizeWithToken: { name: 'authorize-with-token', perAddress: 30 },
  requestAccess: { name: 'request-access', perAddress: 60, perAccount: 20, windowSeconds: 3600 },
  registerClient: { name: 'register-client', perAddress: 20, windowSeconds: 3600 },
  userCode: { name: 'user-code', perAddress: 20 },
  exportPerson: { name: 'export-person', perAccount: 10, windowSeconds: 3600 },
  purchase: { name: 'purchase', perAddress: 60, perAccount: 20 },
  subscription: { name: 'subscription', perAddress: 60, perAccount: 20 },
  redeemCode: { name: 'redeem-code', perAddress: 30, perAccount: 10 },
} as const satisfies Record<string, LimitPolicy>;

/** Wrong client secrets from one address; a counter of its own, so that right ones are never counted. */
const applicationFailures = { name: 'application-failures', perAddress: 20, windowSeconds: 60 };

/** Which limit a key has is known once it has been counted: no key may be used as often as this. */
const keyUsesMax = 2_000_000_000;
const keyWindowSeconds = 60;

/** Counts by address how often credentials were wrong. Both throw `request.rate_limited`. */
export type FailureLimit = {
  assertFew(request: FastifyRequest): Promise<void>;
  count(request: FastifyRequest): Promise<void>;
};

/** Who is signed in at a browser with this cookie, if anybody is. */
export type FindBrowserCaller = (cookie: string | undefined) => Promise<Caller | undefined>;

/** Uses of an API key in the present minute. */
export type KeyUse = { used: number; resetSeconds: number };

declare module 'fastify' {
  interface FastifyInstance {
    failures: FailureLimit;
    /** Counts that an address brings an application along. Throws `request.rate_limited`. */
    countRegistration: (ipAddress: string) => Promise<void>;
    /**
     * Counts that an API key is used. What it may is its own, so these are counted even without other limits.
     */
    countKeyUse: (digest: string) => Promise<KeyUse>;
  }
  interface FastifyContextConfig {
    /** A limit tighter than the general one, or `false` for none at all. */
    limit?: LimitPolicy | false;
  }
  interface FastifyRequest {
    /** What the limits counted for this request, for the `RateLimit` headers. */
    limitCounts: Count[] | null;
  }
}

/**
 * Installs the general limit per address on every route, and on routes that name a policy its limits per
 * address and per account. Refuses with `request.rate_limited` and `Retry-After`. Must be called before the
 * routes are added. `findBrowserCaller` tells who is signed in at a browser, by its cookie: forms of pages
 * bring no token.
 * @see draft-ietf-httpapi-ratelimit-headers-10 §3, RFC 6585 §4
 */
export async function installLimits(app: App, ctx: Ctx, findBrowserCaller: FindBrowserCaller): Promise<void> {
  const { config } = ctx;
  app.decorateRequest('limitCounts', null);
  const counters = await createCounters(config, ctx.log);
  app.addHook('onClose', () => counters.close());
  const keyUses = counters.counter('api-key', keyUsesMax, keyWindowSeconds);
  app.decorate('countKeyUse', async (digest) => {
    const { used, resetSeconds } = await keyUses.count(digest);
    return { used, resetSeconds };
  });
  if (!config.rateLimitEnabled) {
    app.decorate('failures', { assertFew: async () => {}, count: async () => {} });
    app.decorate('countRegistration', async () => {});
    return;
  }
  app.decorate('failures', createFailureLimit(counters));
  const { name, perAddress, windowSeconds } = limits.registerClient;
  const registrations = counters.counter(name, perAddress, windowSeconds);
  app.decorate('countRegistration', async (ipAddress) =>
    assertAllowed(await registrations.count(addressKey(ipAddress))),
  );
  const general = counters.counter('general', config.rateLimitMax, config.rateLimitTtlSeconds);
  app.addHook('onRequest', async (request, reply) => {
    if (request.method === 'OPTIONS' || request.routeOptions.config.limit === false) return;
    assertAllowed(await count(general, addressKey(request.ip), request, reply));
  });
  const failures = createFailureCounters(ctx, counters);
  const userOf = async (request: FastifyRequest) => {
    const caller = request.caller ?? (await findBrowserCaller(readSignInCookie(config, request)));
    return caller?.userId;
  };
  app.addHook('onRoute', (route) => {
    const limit = route.config?.limit;
    if (!limit) return;
    addPolicy(route, limit, { counters, failures, userOf });
    const { watch } = limit;
    if (watch) watchFailures(route, ctx, { failures, watch, accountOf: typedAccountOf });
  });
}

function createFailureLimit(counters: Counters): FailureLimit {
  const { name, perAddress, windowSeconds } = applicationFailures;
  const failures = counters.counter(name, perAddress, windowSeconds);
  return {
    assertFew: async (request) => assertAllowed(await failures.peek(addressKey(request.ip))),
    count: async (request) => assertAllowed(await failures.count(addressKey(request.ip))),
  };
}

type Counting = {
  counters: Counters;
  failures: FailureCounters;
  /** Who is signed in, by token or else by the cookie of the browser. */
  userOf: (request: FastifyRequest) => Promise<string | undefined>;
};

/** The address is counted first, so that whoever is refused by it cannot use up somebody else's account. */
function addPolicy(route: RouteOptions, policy: LimitPolicy, { counters, failures, userOf }: Counting): void {
  const { name, perAddress, perAccount, windowSeconds = 60 } = policy;
  if (perAddress !== undefined) {
    const byAddress = counters.counter(name, perAddress, windowSeconds);
    const hook = async (request: FastifyRequest, reply: FastifyReply) => {
      assertAllowed(await count(byAddress, addressKey(request.ip), request, reply));
    };
    route.onRequest = [hook, ...[route.onRequest ?? []].flat()];
  }
  if (perAccount !== undefined) {
    const byAccount = counters.counter(`${name}-account`, perAccount, windowSeconds);
    const hook = async (request: FastifyRequest, reply: FastifyReply) => {
      // Who brings a token is that person, whatever address the body names.
      const typed = request.caller ? undefined : typedAccountOf(request);
      const userId = typed ? undefined : await userOf(request);
      const account = typed?.account ?? (userId && hash(userId));
      if (account === undefined) return;
      const used = await count(byAccount, account, request, reply);
      const { watch } = policy;
      if (!watch || !typed) return assertAllowed(used);
      const exceeded = await failures.findExceeded(account, addressKey(request.ip));
      const refusal = [used, ...exceeded].filter((one) => one.exceeded).reduce(longest, undefined);
      if (!refusal || (await watch.isKnown(typed.email, signInOriginOf(request)))) return;
      assertAllowed(refusal);
    };
    route.preHandler = [...[route.preHandler ?? []].flat(), hook];
  }
}

/** Counts, and says in the headers what is left. */
async function count(
  counter: Counter,
  key: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Count> {
  const result = await counter.count(key);
  showCount(request, reply, result);
  return result;
}

/** Says in the headers what is left to an API key, and refuses when it is used too often. */
export function countForHeaders(
  request: FastifyRequest,
  reply: FastifyReply,
  { name, max, used, resetSeconds }: KeyUse & { name: string; max: number },
): void {
  const exceeded = used > max;
  const remaining = Math.max(0, max - used);
  const result = { name, max, windowSeconds: keyWindowSeconds, remaining, used, resetSeconds, exceeded };
  showCount(request, reply, result);
  assertAllowed(result);
}

function showCount(request: FastifyRequest, reply: FastifyReply, result: Count): void {
  const counts = (request.limitCounts ??= []);
  counts.push(result);
  const policies = counts.map(({ name, max, windowSeconds }) => `"${name}";q=${max};w=${windowSeconds}`);
  const states = counts.map(
    ({ name, remaining, resetSeconds }) => `"${name}";r=${remaining};t=${resetSeconds}`,
  );
  reply.header('RateLimit-Policy', policies.join(', ')).header('RateLimit', states.join(', '));
}

function assertAllowed({ exceeded, resetSeconds }: Count): void {
  if (!exceeded) return;
  throw new AppError('request.rate_limited', { headers: { 'retry-after': String(resetSeconds) } });
}

const longest = (one: Count | undefined, other: Count): Count =>
  one !== undefined && one.resetSeconds >= other.resetSeconds ? one : other;

/** The account that the body names, whether or not there is one. */
function typedAccountOf(request: FastifyRequest): { email: string; account: string } | undefined {
  const { email } = (request.body ?? {}) as { email?: unknown };
  return typeof email === 'string' ? { email, account: hash(normalizeEmail(email)) } : undefined;
}

/** Accounts are counted by a hash, so that no address of a person stands in Redis. */
const hash = (text: string): string => createHash('sha256').update(text).digest('base64url');
