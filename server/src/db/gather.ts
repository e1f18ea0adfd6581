import { AppError } from '../errors.ts';
import { wasRolledBack } from './errors.ts';

/** Asks together what many requests want to know each for itself. */
export type Gatherer<Question, Answer> = {
  /** Resolves with the answer to this question, whatever its neighbours come to. Throws `server.busy`. */
  ask(question: Question): Promise<Answer>;
  /** How many questions wait to be sent. */
  waiting(): number;
  /** Resolves once every question asked so far has been answered. */
  drain(): Promise<void>;
};

export type GatherLimits = { callsMax: number; batchMax: number; waitingMax: number };

type Waiting<Question, Answer> = {
  question: Question;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
};

const defaultLimits: GatherLimits = { callsMax: 1, batchMax: 500, waitingMax: 10_000 };

/**
 * Gathers the questions that come while a call is under way into the next one, without ever waiting for more:
 * what one turn of the event loop brings goes at its end. `call` answers in the order of the questions. A
 * question joins no call that has been sent, so whatever was committed before it was asked is in its answer.
 * When the database refuses a whole call, each of its questions is asked alone, so that one that cannot be
 * answered fails alone; `call` must therefore change nothing.
 */
export function createGatherer<Question, Answer>(
  call: (questions: Question[]) => Promise<Answer[]>,
  { callsMax, batchMax, waitingMax }: GatherLimits = defaultLimits,
): Gatherer<Question, Answer> {
  const queue: Waiting<Question, Answer>[] = [];
  let calls = 0;
  let isScheduled = false;
  const idle = new Set<() => void>();

  const answerTogether = async (batch: Waiting<Question, Answer>[]): Promise<() => void> => {
    try {
      const answers = await call(batch.map(({ question }) => question));
      if (answers.length !== batch.length) throw new Error('a gathered call left a question without an answer');
      return () => batch.forEach(({ resolve }, index) => resolve(answers[index] as Answer));
    } catch (error) {
      if (batch.length > 1 && wasRolledBack(error)) {
        for (const one of batch) (await answerTogether([one]))();
        return () => {};
      }
      return () => batch.forEach(({ reject }) => reject(error));
    }
  };
  const run = async (): Promise<void> => {
    const handOut = await answerTogether(queue.splice(0, batchMax));
    calls -= 1;
    handOut();
    if (queue.length > 0) schedule();
    else if (calls === 0 && !isScheduled) for (const resolve of idle) resolve();
  };
  const start = (): void => {
    isScheduled = false;
    while (queue.length > 0 && calls < callsMax) {
      calls += 1;
      void run();
    }
  };
  const schedule = (): void => {
    if (isScheduled || calls >= callsMax) return;
    isScheduled = true;
    setImmediate(start);
  };
  return {
    waiting: () => queue.length,
    drain: async () => {
      if (calls === 0 && !isScheduled) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      idle.add(resolve);
      await promise;
      idle.delete(resolve);
    },
    ask: (question) =>
      new Promise((resolve, reject) => {
        if (queue.length >= waitingMax) {
          reject(new AppError('server.busy', { headers: { 'retry-after': '1' } }));
          return;
        }
        queue.push({ question, resolve, reject });
        schedule();
      }),
  };
}
