import { eq } from 'drizzle-orm';
import type { Ctx } from '../../../ctx.ts';
import type { Background } from '../../../jobs/index.ts';
import { endpoints } from '../tables.ts';
import type { Resolve } from '../../../lib/find-addresses.ts';
import { serveEndpoint, type TurnEnd } from './serve-endpoint.ts';

export type EndpointTurns = Background & {
  /** Lets an endpoint have a turn as soon as there is room. Resolves before it has had it. */
  wake(endpointId: string): Promise<void>;
};

/** How many endpoints a process serves at once: in all, of one application, and of those that are slow. */
const places = { inAll: 24, perApplication: 4, slow: 8 } as const;

type Candidate = { endpointId: string; applicationId: string; isSlow: boolean };

/**
 * Serves endpoints turn by turn, each in one place at most. Who has had a turn and has more waiting goes
 * behind all others; slow endpoints, and those of one application, have a share of the places between them,
 * so nobody who hangs holds up anybody else. What is due stands in the database: a process that dies loses
 * nothing.
 */
export function createEndpointTurns(ctx: Ctx, resolve?: Resolve): EndpointTurns {
  const ready = new Map<string, Candidate>();
  const serving = new Map<string, Candidate & { again: boolean }>();
  const waiters = new Set<() => void>();
  let isStopping = false;

  const isWaiting = (endpointId: string): boolean => {
    const served = serving.get(endpointId);
    if (served) served.again = true;
    return served !== undefined || ready.has(endpointId);
  };
  const pump = (): void => {
    for (const candidate of isStopping ? [] : ready.values()) {
      if (serving.size >= places.inAll) break;
      if (!hasPlace(candidate, [...serving.values()])) continue;
      ready.delete(candidate.endpointId);
      void serve(candidate);
    }
    if (serving.size > 0 || (ready.size > 0 && !isStopping)) return;
    for (const resume of waiters) resume();
  };
  const serve = async (candidate: Candidate): Promise<void> => {
    const { endpointId } = candidate;
    const served = { ...candidate, again: false };
    serving.set(endpointId, served);
    const end = await serveEndpoint(ctx, endpointId, { resolve, isStopping: () => isStopping }).catch(
      (error: unknown) => noteFailure(ctx, error, candidate),
    );
    serving.delete(endpointId);
    if (end.hasMore || served.again) ready.set(endpointId, { ...candidate, isSlow: end.isSlow });
    pump();
  };
  const settled = async (): Promise<void> => {
    if (serving.size === 0 && (ready.size === 0 || isStopping)) return;
    const { promise, resolve: resume } = Promise.withResolvers<void>();
    waiters.add(resume);
    await promise;
    waiters.delete(resume);
  };
  return {
    settled,
    async wake(endpointId) {
      if (isWaiting(endpointId)) return;
      const candidate = await readCandidate(ctx, endpointId);
      if (!candidate || isWaiting(endpointId)) return;
      ready.set(endpointId, candidate);
      pump();
    },
    async stop() {
      isStopping = true;
      await settled();
      await handOn(ctx, [...ready.keys()]);
      ready.clear();
    },
  };
}

function hasPlace({ applicationId, isSlow }: Candidate, served: Candidate[]): boolean {
  const neighbours = served.filter((other) => other.applicationId === applicationId);
  const slowOnes = served.filter((other) => other.isSlow);
  return neighbours.length < places.perApplication && (!isSlow || slowOnes.length < places.slow);
}

/** Whoever looks next for what is due comes back to it. */
function noteFailure(ctx: Ctx, error: unknown, { endpointId, isSlow }: Candidate): TurnEnd {
  ctx.log.warn({ err: error, endpointId }, 'an endpoint could not be served; it will be tried again');
  return { hasMore: false, isSlow };
}

async function readCandidate(ctx: Ctx, endpointId: string): Promise<Candidate | undefined> {
  const [row] = await ctx.db.asService((tx) =>
    tx
      .select({ applicationId: endpoints.applicationId, slowAttempts: endpoints.slowAttempts })
      .from(endpoints)
      .where(eq(endpoints.id, endpointId)),
  );
  return row && { endpointId, applicationId: row.applicationId, isSlow: row.slowAttempts > 0 };
}

/** What this process does not get to is for the next one. */
async function handOn(ctx: Ctx, endpointIds: string[]): Promise<void> {
  if (endpointIds.length === 0) return;
  await ctx.db.asService(async (tx) => {
    for (const endpointId of endpointIds) await ctx.jobs.enqueue(tx, 'serve-endpoint', { endpointId });
  });
}
