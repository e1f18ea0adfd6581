import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Ctx } from '../ctx.ts';
import type { RequestOrigin } from '../domains/audit/index.ts';
import { addressKey } from '../lib/address.ts';
import { guessesMax, guessesOfAnAttack } from '../lib/sign-in-guesses.ts';
import type { Count, Counter, Counters } from './limit-counters.ts';
import { signInOriginOf } from './origin.ts';

/** What looks like an attack, for whoever watches. `email` as it was typed, known or not. */
export type SignInSuspicion = { kind: 'attacked'; email: string } | { kind: 'stuffing' } | { kind: 'flood' };

/** What a route that takes passwords knows of people and does when it looks like an attack. */
export type SignInWatch = {
  /** Whether the account knows the device or the address: then only the limit of the address holds. */
  isKnown: (email: string, origin: RequestOrigin) => Promise<boolean>;
  /** Called after the answer was sent, at most once an hour for the same. */
  suspect: (suspicion: SignInSuspicion, origin: RequestOrigin) => Promise<void>;
};

/** A few a day are everybody's; only beyond them is a day counted, so that spraying fills no memory. */
const forgivenPerHour = 5;
/** Different accounts that one address failed to sign in to within an hour. */
const accountsPerAddress = 30;
const [hourSeconds, daySeconds, minuteSeconds] = [3600, 86_400, 60];
const wrongPasswordStatus = 401;

/** Counts sign-ins that fail. An account is given by a digest. */
export type FailureCounters = {
  /** The limits that are used up for such a sign-in. */
  findExceeded(account: string, address: string): Promise<Count[]>;
  /** Counts a failure; returns what it has brought to light. */
  count(email: string, account: string, address: string): Promise<SignInSuspicion[]>;
};

export function createFailureCounters({ config }: Ctx, counters: Counters): FailureCounters {
  const ofHour = counters.counter('sign-in-failures-hour', guessesMax.hour, hourSeconds);
  const ofDay = counters.counter('sign-in-failures-day', guessesMax.day, daySeconds);
  const ofAll = counters.counter('sign-in-failures', config.signInFailuresMax, minuteSeconds);
  const firstTries = counters.counter('sign-in-pairs', 1, hourSeconds);
  const ofAddress = counters.counter('sign-in-accounts', accountsPerAddress, hourSeconds);
  return {
    async findExceeded(account, address) {
      const asked: [Counter, string][] = [
        [ofHour, account],
        [ofDay, account],
        [ofAll, ''],
        [ofAddress, address],
      ];
      const counts = await Promise.all(asked.map(([counter, key]) => counter.peek(key)));
      return counts.filter(({ exceeded }) => exceeded);
    },
    async count(email, account, address) {
      const [hour, all, pair] = await Promise.all([
        ofHour.count(account),
        ofAll.count(''),
        firstTries.count(`${address} ${account}`),
      ]);
      const used = hour.max - hour.remaining;
      if (used > forgivenPerHour) await ofDay.count(account);
      const accounts = pair.exceeded ? undefined : await ofAddress.count(address);
      return [
        ...(used === guessesOfAnAttack ? [{ kind: 'attacked' as const, email }] : []),
        ...(accounts && isLast(accounts) ? [{ kind: 'stuffing' as const }] : []),
        ...(isLast(all) ? [{ kind: 'flood' as const }] : []),
      ];
    },
  };
}

const isLast = ({ remaining, exceeded }: Count): boolean => remaining === 0 && !exceeded;

/**
 * Has a route count the wrong passwords that it answers, before the answer leaves, and tell of what they
 * bring to light when it has left: who guesses learns nothing from its time.
 */
export function watchFailures(
  route: RouteOptions,
  ctx: Ctx,
  {
    failures,
    watch,
    accountOf,
  }: {
    failures: FailureCounters;
    watch: SignInWatch;
    accountOf: (request: FastifyRequest) => { email: string; account: string } | undefined;
  },
): void {
  const found = new WeakMap<FastifyRequest, SignInSuspicion[]>();
  const countFailure = async (request: FastifyRequest, reply: FastifyReply) => {
    const asked = reply.statusCode === wrongPasswordStatus ? accountOf(request) : undefined;
    if (!asked) return;
    found.set(request, await failures.count(asked.email, asked.account, addressKey(request.ip)));
  };
  const tell = async (request: FastifyRequest) => {
    for (const suspicion of found.get(request) ?? []) {
      await watch
        .suspect(suspicion, signInOriginOf(request))
        .catch((error: unknown) => ctx.log.error({ err: error }, 'A suspicion could not be written down'));
    }
  };
  route.onSend = [...[route.onSend ?? []].flat(), countFailure];
  route.onResponse = [...[route.onResponse ?? []].flat(), tell];
}
