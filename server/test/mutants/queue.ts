import type { Mutant } from './mutant.ts';

const file = 'server/src/domains/credits/spend-queue.ts';
const tests = ['spend-queue.test.ts', 'spend-credits.test.ts'];
const turns = 'server/src/domains/credits/wallet-turns.ts';
const turnTests = ['wallet-turns.test.ts'];

/** The queue that gathers spends into batches, and the turns of all else. */
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
    find: 'if (waiting() + ctx.turns.waiting() >= limits.waitingMax) {',
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
  {
    name: 'whoever waits for one wallet takes every connection',
    file: turns,
    find: 'if (turn.running < limits.atOnceMax) {',
    replace: 'if (turn.running < 1000 * limits.atOnceMax) {',
    tests: turnTests,
  },
  {
    name: 'any number may wait for one wallet',
    file: turns,
    find: 'turn.queue.length >= limits.waitingPerWalletMax ||',
    replace: '',
    tests: turnTests,
  },
  {
    name: 'the turns of wallets do not count the spends that wait',
    file: turns,
    find: 'waiting + (countOthers?.() ?? 0) >= limits.waitingMax',
    replace: 'waiting >= limits.waitingMax',
    tests: turnTests,
  },
  {
    name: 'who came last has the next turn of a wallet',
    file: turns,
    find: 'turn.queue.shift()',
    replace: 'turn.queue.pop()',
    tests: turnTests,
  },
  {
    name: 'a stopping service does not wait for the turns of wallets',
    file: turns,
    find: 'if (turns.size === 0) return;',
    replace: 'if (turns.size >= 0) return;',
    tests: turnTests,
  },
];
