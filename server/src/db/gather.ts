import { setImmediate as endOfTurn } from 'node:timers/promises';
import { AppError } from '../errors.ts';
import { wasRolledBack } from './errors.ts';

/** Asks together what many requests want to know or have done, each for itself. */
export type Gatherer<Question, Answer> = {
  /** Resolves with the answer to this question, whatever its neighbours come to. Throws `server.busy`. */
  ask: (question: Question) => Promise<Answer>;
  /** How many questions wait to be sent. */
  waiting: () => number;
  /** Resolves once every question asked so far has been answered. */
  drain: () => Promise<void>;
};

export type GatherOptions<Question> = {
  batchMax?: number;
  waitingMax?: number;
  /** Two questions with the same key do not go together. */
  keyOf?: (question: Question) => string | undefined;
};

/** Answers questions in their order. What the database refuses is rolled back whole: it may be asked anew. */
export type Call<Question, Answer> = (questions: Question[]) => Promise<Answer[]>;

type Waiting<Question, Answer> = {
  question: Question;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
};

/**
 * Gathers the questions that come while a call is under way into the next one, without waiting for more: what
 * one turn of the event loop brings goes at its end. A question never joins a call that has been sent, so
 * whatever was committed before it was asked counts in its answer. Who hangs up is answered all the same, and
 * holds nobody up.
 */
export function createGatherer<Question, Answer>(
  call: Call<Question, Answer>,
  { batchMax = 500, waitingMax = 10_000, keyOf }: GatherOptions<Question> = {},
): Gatherer<Question, Answer> {
  const queue: Waiting<Question, Answer>[] = [];
  let running: Promise<void> | undefined;
  const run = async (): Promise<void> => {
    while (queue.length > 0) {
      await endOfTurn();
      await answerTogether(call, keyOf ? takeApart(queue, batchMax, keyOf) : queue.splice(0, batchMax));
    }
    running = undefined;
  };
  return {
    waiting: () => queue.length,
    drain: async () => running,
    ask: (question) =>
      new Promise((resolve, reject) => {
        if (queue.length >= waitingMax) {
          reject(new AppError('server.busy', { headers: { 'retry-after': '1' } }));
          return;
        }
        queue.push({ question, resolve, reject });
        running ??= run();
      }),
  };
}

/** Takes those out of the queue who have waited longest, of each key only the first. */
function takeApart<Question, Answer>(
  queue: Waiting<Question, Answer>[],
  batchMax: number,
  keyOf: (question: Question) => string | undefined,
): Waiting<Question, Answer>[] {
  const keys = new Set<string>();
  const batch = new Set<Waiting<Question, Answer>>();
  for (const one of queue) {
    if (batch.size === batchMax) break;
    const key = keyOf(one.question);
    if (key !== undefined && keys.has(key)) continue;
    if (key !== undefined) keys.add(key);
    batch.add(one);
  }
  const left = queue.filter((one) => !batch.has(one));
  queue.splice(0, queue.length, ...left);
  return [...batch];
}

/**
 * Has every question answered; never rejects. When the database refuses the whole call, each question is
 * asked alone, so that one that cannot be answered fails alone.
 */
async function answerTogether<Question, Answer>(
  call: Call<Question, Answer>,
  batch: Waiting<Question, Answer>[],
): Promise<void> {
  try {
    const answers = await call(batch.map(({ question }) => question));
    if (answers.length !== batch.length) throw new Error('a gathered call left a question without an answer');
    batch.forEach(({ resolve }, index) => resolve(answers[index] as Answer));
  } catch (error) {
    if (batch.length > 1 && wasRolledBack(error)) {
      for (const one of batch) await answerTogether(call, [one]);
    } else {
      for (const { reject } of batch) reject(error);
    }
  }
}
