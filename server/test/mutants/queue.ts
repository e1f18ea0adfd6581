import type { Mutant } from './mutant.ts';

const file = 'server/src/domains/credits/spend-queue.ts';
const tests = ['spend-queue.test.ts', 'spend-credits.test.ts'];

/** The queue that gathers spends into batches. */
export const queueMutants: Mutant[] = [
  {
    name: 'the first of a batch is never answered',
    file,
    find: 'for (const outcome of outcomes) answer(',
    replace: 'for (const outcome of outcomes.slice(1)) answer(',
    tests,
  },
  {
    name: 'answers go to the wrong spends',
    file,
    find: 'answer(batch[outcome.ordinal - 1], outcome)',
    replace: 'answer(batch[outcomes.length - outcome.ordinal], outcome)',
    tests,
  },
  {
    name: 'who came last goes first',
    file,
    find: 'queue.push({ request, resolve, reject });',
    replace: 'queue.unshift({ request, resolve, reject });',
    tests,
  },
  {
    name: 'drain does not wait',
    file,
    find: 'drain: async () => running,',
    replace: 'drain: async () => undefined,',
    tests,
  },
  {
    name: 'drain waits for one lane only',
    file,
    find: 'await Promise.all(lanes.map((lane) => lane.drain()));',
    replace: 'await lanes[0]?.drain();',
    tests,
  },
  {
    name: 'a full queue takes more',
    file,
    find: 'if (waiting() >= limits.waitingMax) {',
    replace: 'if (waiting() > 2 * limits.waitingMax) {',
    tests,
  },
  {
    name: 'one spend that cannot be done takes its batch with it',
    file,
    find: 'if (batch.length > 1 && wasRolledBack(error)) {',
    replace: 'if (batch.length > 1_000_000 && wasRolledBack(error)) {',
    tests,
  },
  {
    name: 'one outcome that cannot be read takes its batch with it',
    file,
    find: 'map((name) => `${name}::text`)',
    replace: 'map((name) => name)',
    tests: ['exact-bounds.test.ts'],
  },
  {
    name: 'a batch is tried again though it may have been committed',
    file,
    find: 'if (batch.length > 1 && wasRolledBack(error)) {',
    replace: 'if (batch.length > 1 && (wasRolledBack(error) || true)) {',
    tests,
  },
];
