import { wasRolledBack } from '../../db/index.ts';
import { AppError } from '../../errors.ts';

/** Has requests done together, as many as have come. */
export type Gatherer<Request, Answer> = {
  /** Resolves with the answer to this request, whatever becomes of the others. Throws `server.busy`. */
  submit(request: Request): Promise<Answer>;
};

export type GathererOptions<Request> = {
  /** Two requests with the same key do not go together. */
  keyOf?: (request: Request) => string | undefined;
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
 * Requests that come at the same moment go together, and whatever comes while a call is in flight goes into
 * the next one: nobody waits for company. `call` answers each request at its place; when the database refuses
 * a whole call, nothing of it was committed and each request is tried alone, so that one that cannot be done
 * fails alone.
 */
export function createGatherer<Request, Answer>(
  call: (requests: Request[]) => Promise<Answer[]>,
  { keyOf = () => undefined, batchMax = 100, waitingMax = 10_000 }: GathererOptions<Request> = {},
): Gatherer<Request, Answer> {
  let queue: Waiting<Request, Answer>[] = [];
  let isRunning = false;
  const take = (): Waiting<Request, Answer>[] => {
    const batch = chooseBatch(queue, batchMax);
    queue = batch.size === queue.length ? [] : queue.filter((one) => !batch.has(one));
    return [...batch];
  };
  // What waits is sent before the answers of the last call are handed out: the database works meanwhile.
  const run = async (): Promise<void> => {
    let underWay = answerBatch(call, take());
    while (isRunning) {
      const handOut = await underWay;
      if (queue.length > 0) underWay = answerBatch(call, take());
      else isRunning = false;
      handOut();
    }
  };
  return {
    async submit(request) {
      if (queue.length >= waitingMax) throw new AppError('server.busy', { headers: { 'retry-after': '1' } });
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      queue.push({ request, key: keyOf(request), resolve, reject });
      if (!isRunning) setImmediate(() => void run());
      isRunning = true;
      return promise;
    },
  };
}

/** Those who have waited longest, of each key only the first. */
function chooseBatch<Request, Answer>(
  queue: Waiting<Request, Answer>[],
  batchMax: number,
): Set<Waiting<Request, Answer>> {
  const keys = new Set<string>();
  const batch = new Set<Waiting<Request, Answer>>();
  for (const one of queue) {
    if (batch.size === batchMax) break;
    if (one.key !== undefined && keys.has(one.key)) continue;
    if (one.key !== undefined) keys.add(one.key);
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
