import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { App } from '../app.ts';
import type { Ctx } from '../ctx.ts';
import { AppError } from '../errors.ts';
import { addressKey } from '../lib/address.ts';
import { normalizeEmail } from '../lib/email.ts';
import { createCounters, type Count, type Counter, type Counters } from './limit-counters.ts';

/** How often one address, and one account, may call a route within a window. */
export type LimitPolicy = {
  /** Stands in the `RateLimit` headers; routes with the same name share their counters. */
  name: string;
  perAddress?: number;
  /** Counted by the signed-in user, else by the `email` of the body, known or not. */
  perAccount?: number;
  /** 60 unless said otherwise. */
  windowSeconds?: number;
  /** Whether the account knows the address, so that its limit lets it through: else anybody could lock it. */
  isKnownAddress?: (email: string, address: string) => Promise<boolean>;
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
  sessionToToken: { name: 'session-to-token', perAddress: 30 },
  authorizeWithToken: { name: 'authorize-with-token', perAddress: 30 },
  requestAccess: { name: 'request-access', perAddress: 60, perAccount: 20, windowSeconds: 3600 },
  registerClient: { name: 'register-client', perAddress: 20, windowSeconds: 3600 },
  userCode: { name: 'user-code', perAddress: 20 },
  exportPerson: { name: 'export-person', perAccount: 10, windowSeconds: 3600 },
  redeemCode: { name: 'redeem-code', perAddress: 30, perAccount: 10 },
} as const satisfies Record<string, LimitPolicy>;

/** Wrong client secrets from one address; a counter of its own, so that right ones are never counted. */
const applicationFailures = { name: 'application-failures', perAddress: 20, windowSeconds: 60 };

/** Counts by address how often credentials were wrong. Both throw `request.rate_limited`. */
export type FailureLimit = {
  assertFew(request: FastifyRequest): Promise<void>;
  count(request: FastifyRequest): Promise<void>;
};

declare module 'fastify' {
  interface FastifyInstance {
    failures: FailureLimit;
    /** Counts that an address brings an application along. Throws `request.rate_limited`. */
    countRegistration: (ipAddress: string) => Promise<void>;
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
 * routes are added.
 * @see draft-ietf-httpapi-ratelimit-headers-10 §3, RFC 6585 §4
 */
export async function installLimits(app: App, ctx: Ctx): Promise<void> {
  const { config } = ctx;
  app.decorateRequest('limitCounts', null);
  if (!config.rateLimitEnabled) {
    app.decorate('failures', { assertFew: async () => {}, count: async () => {} });
    app.decorate('countRegistration', async () => {});
    return;
  }
  const counters = await createCounters(config, ctx.log);
  app.decorate('failures', createFailureLimit(counters));
  const { name, perAddress, windowSeconds } = limits.registerClient;
  const registrations = counters.counter(name, perAddress, windowSeconds);
  app.decorate('countRegistration', async (ipAddress) =>
    assertAllowed(await registrations.count(addressKey(ipAddress))),
  );
  app.addHook('onClose', () => counters.close());
  const general = counters.counter('general', config.rateLimitMax, config.rateLimitTtlSeconds);
  app.addHook('onRequest', async (request, reply) => {
    if (request.method === 'OPTIONS' || request.routeOptions.config.limit === false) return;
    assertAllowed(await count(general, addressKey(request.ip), request, reply));
  });
  app.addHook('onRoute', (route) => {
    if (route.config?.limit) addPolicy(route, route.config.limit, counters);
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

/** The address is counted first, so that whoever is refused by it cannot use up somebody else's account. */
function addPolicy(route: RouteOptions, policy: LimitPolicy, counters: Counters): void {
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
      // Who is signed in is that person, whatever address the body names.
      const email = request.caller ? undefined : emailOf(request);
      const account = email === undefined ? request.caller?.userId : normalizeEmail(email);
      if (account === undefined) return;
      const result = await count(byAccount, hash(account), request, reply);
      const isKnown = result.exceeded && email !== undefined && policy.isKnownAddress?.(email, request.ip);
      if (!(await isKnown)) assertAllowed(result);
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
  const counts = (request.limitCounts ??= []);
  counts.push(result);
  const policies = counts.map(({ name, max, windowSeconds }) => `"${name}";q=${max};w=${windowSeconds}`);
  const states = counts.map(
    ({ name, remaining, resetSeconds }) => `"${name}";r=${remaining};t=${resetSeconds}`,
  );
  reply.header('RateLimit-Policy', policies.join(', ')).header('RateLimit', states.join(', '));
  return result;
}

function assertAllowed({ exceeded, resetSeconds }: Count): void {
  if (!exceeded) return;
  throw new AppError('request.rate_limited', { headers: { 'retry-after': String(resetSeconds) } });
}

function emailOf(request: FastifyRequest): string | undefined {
  const { email } = (request.body ?? {}) as { email?: unknown };
  return typeof email === 'string' ? email : undefined;
}

/** Accounts are counted by a hash, so that no address of a person stands in Redis. */
const hash = (text: string): string => createHash('sha256').update(text).digest('base64url');
