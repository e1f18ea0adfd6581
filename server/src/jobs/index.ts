import { sql } from 'drizzle-orm';
import type { JobResult, JobWithMetadata, PgBoss } from 'pg-boss';
import type { Logger } from 'pino';
import { Counter } from 'prom-client';
import type { Database, Tx } from '../db/index.ts';
import { atMost } from '../lib/at-most.ts';
import type { Metrics } from '../metrics/index.ts';
import { createBoss } from './boss.ts';
import { deadLetterQueue, jobNames, type JobData, type JobName } from './queues.ts';

export type { JobData, JobName } from './queues.ts';

/** Does one job. Rejects when it should be tried again later; may run twice, so it must bear that. */
export type JobHandler<Name extends JobName> = (data: JobData[Name], signal: AbortSignal) => Promise<void>;

/** What a handler has begun and does beside its jobs, so that no job waits for it. */
export type Background = {
  /** Resolves once nothing is left to do. */
  settled(): Promise<void>;
  /** Begins nothing more, hands on what has not begun, and resolves once what has begun is done. */
  stop(): Promise<void>;
};

/**
 * Work that outlives the request, tried again with growing pauses until it succeeds or is given up and
 * logged.
 */
export type Jobs = {
  /**
   * Adds a job in `tx`, whatever its context: the job exists exactly when the transaction commits. It is
   * begun after `waitSeconds` at the earliest.
   */
  enqueue<Name extends JobName>(
    tx: Tx,
    name: Name,
    data: JobData[Name],
    options?: { waitSeconds?: number },
  ): Promise<void>;
  /**
   * Names who does the jobs of a kind, and what they do in the background. Called once per kind before
   * `start`.
   */
  handle<Name extends JobName>(name: Name, handler: JobHandler<Name>, background?: Background): void;
  /** Begins to poll for jobs. Asserts that every kind has its handler. */
  start(): Promise<void>;
  /**
   * Takes no new jobs, waits for the running ones, gives up on those that take too long: they are tried
   * again.
   */
  stop(): Promise<void>;
  /**
   * Does here and now what is due, until nothing is left, and waits for what this process has in hand.
   * `ignoreDelay` first takes everything that waits for a retry. Returns how many jobs were run.
   */
  runDue(options?: { ignoreDelay?: boolean }): Promise<number>;
};

type AnyHandler = (data: never, signal: AbortSignal) => Promise<void>;
type AnyJob = JobWithMetadata;
type Settle = (queue: string, batch: AnyJob[]) => Promise<JobResult[]>;

const pollingSeconds = 1;
const deadLetterPollingSeconds = 10;
const batchSize = 10;
/** Longer than an SMTP dialogue may take, shorter than the grace that container hosts give. */
const stopWaitMs = 25_000;

/** pg-boss on our database, as the service. Nothing runs before `start`. */
export function createJobs(parts: { db: Database; log: Logger; metrics: Metrics }): Jobs {
  const handlers = new Map<string, AnyHandler>();
  const running = new Set<Promise<unknown>>();
  const backgrounds: Background[] = [];
  const boss = createBoss(parts.db, parts.log);
  const settle = createSettle(handlers, running, parts);
  return {
    async enqueue(tx, name, data, { waitSeconds = 0 } = {}) {
      const payload = JSON.stringify(data);
      await tx.execute(
        sql`select obol.enqueue_job(${name}, ${payload}::jsonb, make_interval(secs => ${waitSeconds}))`,
      );
    },
    handle(name, handler, background) {
      if (background) backgrounds.push(background);
      if (handlers.has(name)) throw new Error(`the job ${name} has two handlers`);
      handlers.set(name, handler);
    },
    async start() {
      const orphans = jobNames.filter((name) => !handlers.has(name));
      if (orphans.length > 0) throw new Error(`no handler for the jobs ${orphans.join(', ')}`);
      await boss.start();
      for (const queue of [...jobNames, deadLetterQueue]) await pollQueue(boss, queue, settle);
    },
    async stop() {
      const queues = [...jobNames, deadLetterQueue];
      const stopped = async () => {
        await Promise.all(queues.map((queue) => boss.offWork(queue, { wait: true })));
        await Promise.all(backgrounds.map((background) => background.stop()));
      };
      await atMost(stopWaitMs, stopped());
      await boss.stop({ graceful: false });
    },
    async runDue({ ignoreDelay = false } = {}) {
      let count = ignoreDelay ? await runOnce(boss, settle, { ignoreStartAfter: true }) : 0;
      for (let found = 1, isSettled = false; found > 0 || !isSettled; count += found) {
        isSettled = found === 0;
        if (isSettled) {
          await Promise.all(running);
          await Promise.all(backgrounds.map((background) => background.settled()));
        }
        found = await runOnce(boss, settle, {});
      }
      return count;
    },
  };
}

async function pollQueue(boss: PgBoss, queue: string, settle: Settle): Promise<void> {
  await boss.work(
    queue,
    {
      batchSize,
      burstWhenBatchFull: true,
      includeMetadata: true,
      perJobResults: true,
      pollingIntervalSeconds: queue === deadLetterQueue ? deadLetterPollingSeconds : pollingSeconds,
    },
    (batch) => settle(queue, batch as AnyJob[]),
  );
}

/** Takes one batch of each kind and does it. Returns how many jobs there were. */
async function runOnce(
  boss: PgBoss,
  settle: Settle,
  options: { ignoreStartAfter?: boolean },
): Promise<number> {
  let count = 0;
  for (const queue of [...jobNames, deadLetterQueue]) {
    const batch = (await boss.fetch(queue, { batchSize, includeMetadata: true, ...options })) as AnyJob[];
    count += batch.length;
    for (const result of await settle(queue, batch)) {
      if (result.status === 'completed') await boss.complete(queue, result.id);
      else await boss.fail(queue, result.id, result.output as object);
    }
  }
  return count;
}

/** Does the jobs of a batch side by side; one that fails does not touch the others. */
function createSettle(
  handlers: Map<string, AnyHandler>,
  running: Set<Promise<unknown>>,
  { log, metrics }: { log: Logger; metrics: Metrics },
): Settle {
  const outcomes = new Counter({
    name: 'obol_jobs_total',
    help: 'Jobs run, by kind and outcome',
    labelNames: ['job', 'outcome'] as const,
    registers: [metrics.registry],
  });
  const runJob = async (queue: string, job: AnyJob): Promise<JobResult> => {
    const facts = { job: queue, jobId: job.id, attempt: job.retryCount + 1 };
    try {
      const handler = handlers.get(queue);
      if (!handler) throw new Error(`no handler for the job ${queue}`);
      await handler(job.data as never, job.signal);
      outcomes.inc({ job: queue, outcome: 'done' });
      log.debug(facts, 'job done');
      return { id: job.id, status: 'completed' };
    } catch (error) {
      outcomes.inc({ job: queue, outcome: 'failed' });
      log.warn({ ...facts, err: error }, 'job failed; it will be tried again');
      return { id: job.id, status: 'failed', output: error };
    }
  };
  const reportDead = async (job: AnyJob): Promise<JobResult> => {
    outcomes.inc({ job: job.sourceName ?? deadLetterQueue, outcome: 'given_up' });
    log.error({ job: job.sourceName, jobId: job.sourceId, attempts: job.sourceRetryCount }, 'job given up');
    return { id: job.id, status: 'completed' };
  };
  return async (queue, batch) => {
    const work = Promise.all(
      batch.map((job) => (queue === deadLetterQueue ? reportDead(job) : runJob(queue, job))),
    );
    running.add(work);
    try {
      return await work;
    } finally {
      running.delete(work);
    }
  };
}
