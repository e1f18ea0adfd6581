import { wasRolledBack } from '../../db/index.ts';
import { AppError } from '../../errors.ts';

/** Has requests done together, as many as have come. */
export type Gatherer<Request, Answer> = {
  /** Resolves with the answer to this request, whatever becomes of the others. Throws `server.busy`. */
  submit(request: Request): Promise<Answer>;
};

export type GathererOptions<Request> = {
  /** Two requests with the same key are not done at the same time. */
  keyOf?: (request: Request) => string | undefined;
  /** How many calls may be in flight. */
  callsMax?: number;
  batchMax?: number;
  waitingMax?: number;
};

type Waiting<Request, Answer> = {
  request: Request;
  key: string | undefined;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
};

/**
 * A request alone goes at once, and whatever comes while as many calls as may be are in flight goes into the
 * next one: nobody waits for company. `call` answers each request at its place; when the database refuses a
 * whole call, nothing of it was committed and each request is tried alone, so that one that cannot be done
 * fails alone.
 */
export function createGatherer<Request, Answer>(
  call: (requests: Request[]) => Promise<Answer[]>,
  {
    keyOf = () => undefined,
    callsMax = Number(process.env['CALLS_MAX'] ?? 2),
    batchMax = 100,
    waitingMax = 10_000,
  }: GathererOptions<Request> = {},
): Gatherer<Request, Answer> {
  const keysInFlight = new Set<string>();
  let queue: Waiting<Request, Answer>[] = [];
  let callCount = 0;
  // What waits is sent before the answers of the last call are handed out: the database works meanwhile.
  const runNext = (): void => {
    if (callCount >= callsMax) return;
    const batch = chooseBatch(queue, keysInFlight, batchMax);
    if (batch.size === 0) return;
    queue = batch.size === queue.length ? [] : queue.filter((one) => !batch.has(one));
    callCount += 1;
    void answerBatch(call, [...batch]).then((handOut) => {
      callCount -= 1;
      for (const { key } of batch) if (key !== undefined) keysInFlight.delete(key);
      runNext();
      handOut();
    });
  };
  return {
    async submit(request) {
      if (queue.length >= waitingMax) throw new AppError('server.busy', { headers: { 'retry-after': '1' } });
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      queue.push({ request, key: keyOf(request), resolve, reject });
      runNext();
      return promise;
    },
  };
}

/** Those who have waited longest, of each key only the first, which is in flight from now on. */
function chooseBatch<Request, Answer>(
  queue: Waiting<Request, Answer>[],
  keysInFlight: Set<string>,
  batchMax: number,
): Set<Waiting<Request, Answer>> {
  const batch = new Set<Waiting<Request, Answer>>();
  for (const one of queue) {
    if (batch.size === batchMax) break;
    if (one.key !== undefined && keysInFlight.has(one.key)) continue;
    if (one.key !== undefined) keysInFlight.add(one.key);
    batch.add(one);
  }
  return batch;
}

/** Resolves with what hands the answers out; never rejects. */
async function answerBatch<Request, Answer>(
  call: (requests: Request[]) => Promise<Answer[]>,
  batch: Waiting<Request, Answer>[],
): Promise<() => void> {
  try {
    const answers = await call(batch.map(({ request }) => request));
    return () => {
      for (const [index, answer] of answers.entries()) batch[index]?.resolve(answer);
    };
  } catch (error) {
    if (batch.length > 1 && wasRolledBack(error)) {
      for (const one of batch) (await answerBatch(call, [one]))();
      return () => {};
    }
    return () => {
      for (const one of batch) one.reject(error);
    };
  }
}
