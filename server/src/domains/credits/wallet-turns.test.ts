import { afterAll, beforeAll, expect, test } from 'vitest';
import { registerApplication, type TestApplication } from '../../../test/harness/applications.ts';
import { startTestService, type Answer } from '../../../test/harness/index.ts';
import { mandateCalls } from '../../../test/harness/mandates.ts';
import { addAdministrator, expectSound, post, readOwn, spend } from '../../../test/harness/movements.ts';
import { addPerson, addTeam } from '../../../test/harness/teams.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../test/harness/wallets.ts';
import { createWalletTurns } from './wallet-turns.ts';

const service = await startTestService({ env: { DATABASE_POOL_MAX: '6', CREDITS_TRANSFER_BONUS: 'true' } });
const owner = await connectAsOwner(service);
const observer = await connectAsOwner(service);
let eve: WalletHolder;
let admin: WalletHolder;
let stranger: WalletHolder;
let app: TestApplication;

beforeAll(async () => {
  [eve, admin, stranger] = [
    await addPerson(service, owner),
    await addAdministrator(service),
    await addWalletHolder(service),
  ];
  app = await registerApplication(service, admin.token);
});
afterAll(() => expectSound(service));

/** How many connections of the service wait for a lock. */
async function waitingForLocks(): Promise<number> {
  const { rows } = await observer.query(
    `select count(distinct l.pid)::integer as n from pg_locks l join pg_stat_activity a on a.pid = l.pid
      where not l.granted and a.datname = current_database()`,
  );
  return rows[0].n;
}

/** Meanwhile others are served, and no third connection has come to wait. */
async function othersAreServed(): Promise<void> {
  for (let count = 0; count < 5; count++) await readOwn(service, stranger, 'balance');
  expect(await waitingForLocks()).toBe(2);
}

/** Runs `work` while somebody else holds the wallet's lock; returns what was asked of the wallet before. */
async function whileLocked(
  ask: () => Promise<Answer>[],
  work: () => Promise<void> = othersAreServed,
  walletId = eve.userId,
): Promise<Answer[]> {
  await owner.query('begin');
  await owner.query('select from credits.balances where wallet_id = $1 for update', [walletId]);
  const asked = ask();
  await expect.poll(waitingForLocks, { timeout: 5000 }).toBe(2);
  await work();
  await owner.query('commit');
  return Promise.all(asked);
}

test('whatever is asked of a wallet that is locked, two connections wait for it, and the others serve', async () => {
  const calls = mandateCalls(service, app, () => eve);
  await calls.given({ allowance: 1000 });
  const team = await addTeam(service, eve);
  const spent = await spend(service, eve, 5);
  const holds: Answer[] = [];
  for (let count = 0; count < 8; count++) holds.push(await calls.hold({ amount: 1 }));
  const answers = await whileLocked(
    () => [
      ...holds.map(({ body }) => calls.capture(body.id, 1)),
      ...Array.from({ length: 4 }, () => calls.use({ amount: 1 })),
      ...Array.from({ length: 4 }, () => calls.hold({ amount: 1 })),
      ...Array.from({ length: 4 }, () => team.transfer(eve, 1)),
      ...Array.from({ length: 4 }, () =>
        post(service, admin, 'grants', {
          userId: eve.userId,
          amount: 1,
          kind: 'free',
          source: 'gift',
          description: 'x',
        }),
      ),
      ...Array.from({ length: 4 }, () =>
        post(service, admin, 'refunds', { transactionId: spent.id, amount: 1, reason: 'x' }),
      ),
    ],
    async () => {
      for (let count = 0; count < 5; count++) {
        expect(await readOwn(service, stranger, 'balance')).toMatchObject({ available: 150 });
      }
      expect(await waitingForLocks()).toBe(2);
    },
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 201]));
});

test('the daily credits of a locked wallet are due: who reads it waits in its turn, too', async () => {
  service.clock.advance({ days: 1 });
  const answers = await whileLocked(
    () =>
      ['balance', 'transactions', 'holds', 'balance', 'transactions', 'holds', 'balance', 'balance'].map(
        (path) => service.send('GET', `/api/v1/credits/${path}`, { token: eve.token }),
      ),
    async () => {
      expect((await service.send('GET', '/api/v1/credits/purchases', { token: stranger.token })).status).toBe(
        200,
      );
    },
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
});

/** An id as others may spell it. */
const spellings = (id: string): string[] => [
  id,
  id.toUpperCase(),
  id.slice(0, 30) + id.slice(30).toUpperCase(),
];

test('however the id of a wallet is spelled, it is one wallet with one turn, and a request the same', async () => {
  const grant = { amount: 1, description: 'x', idempotencyKey: 'spelled' };
  const answers = await whileLocked(() =>
    spellings(eve.userId).flatMap((id) => [
      post(service, admin, 'grants', { ...grant, userId: id }),
      post(service, admin, 'adjustments', { amount: 1, description: 'x', walletId: id }),
    ]),
  );
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  const replayed = answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true');
  expect(replayed).toHaveLength(2);
});

test('a locked team has one turn, also for who lists their teams, reads it or its history', async () => {
  const team = await addTeam(service, eve);
  await team.transfer(eve, 5);
  expect((await team.hold(eve, 1)).status).toBe(201);
  service.clock.advance({ hours: 1 });
  const paths = spellings(team.id).flatMap((id) => [`teams/${id}`, `teams/${id}/transactions`, 'teams']);
  const ask = () => paths.map((path) => team.get(eve, path));
  const answers = await whileLocked(ask, othersAreServed, team.id);
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
});

test('an app that asks what its mandate leaves waits in the turn of the wallet', async () => {
  const one = await addWalletHolder(service);
  const calls = mandateCalls(service, app, () => one);
  const { id } = await calls.given();
  service.clock.advance({ days: 1 });
  const path = `/api/v1/credits/mandates/${id}/effective`;
  const ask = () => [
    ...Array.from({ length: 3 }, () => calls.own('GET', '/transactions')),
    ...Array.from({ length: 3 }, () => service.send('GET', path, { headers: app.headers })),
  ];
  const answers = await whileLocked(ask, othersAreServed, one.userId);
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
});

test('who has nothing to do with a locked wallet neither waits for it nor takes its turn', async () => {
  service.clock.advance({ days: 1 });
  const strange = await registerApplication(service, admin.token, { name: 'Strange' });
  const walletId = eve.userId;
  const spendBody = { amount: 1, appId: 'chat', description: 'x' };
  const byApp = { ...spendBody, appId: strange.clientId, onBehalfOf: walletId };
  const asApp = (method: string, path: string, body?: unknown) =>
    service.send(method, `/api/v1/credits/${path}`, { headers: strange.headers, ...(body ? { body } : {}) });
  await whileLocked(
    () => Array.from({ length: 4 }, () => service.send('GET', '/api/v1/credits/holds', { token: eve.token })),
    async () => {
      const persons = [
        await post(service, stranger, 'use', { ...spendBody, walletId }),
        await post(service, stranger, 'holds', { ...spendBody, walletId }),
        await post(service, stranger, 'quote', { ...spendBody, walletId }),
        await post(service, stranger, `teams/${walletId}/transfers`, { amount: 1 }),
        await service.send('GET', `/api/v1/credits/teams/${walletId}`, { token: stranger.token }),
      ];
      expect(persons.map(({ body }) => body.code)).toEqual(persons.map(() => 'request.not_found'));
      const apps = [];
      for (const path of ['use', 'holds', 'quote']) apps.push(await asApp('POST', path, byApp));
      expect(apps.map(({ body }) => body.code)).toEqual(apps.map(() => 'mandate.required'));
      expect(await readOwn(service, stranger, `holds?walletId=${walletId}`)).toEqual([]);
      expect((await asApp('GET', `holds?onBehalfOf=${walletId}`)).body).toEqual([]);
      expect((await asApp('GET', `mandates?onBehalfOf=${walletId}`)).body).toEqual([]);
      expect(await waitingForLocks()).toBe(2);
    },
  );
});

test('beyond a thousand that wait for one wallet the next is server.busy', async () => {
  let answered = 0;
  const ask = async () => {
    const answer = await post(service, eve, 'quote', { amount: 1, appId: 'chat' });
    answered += 1;
    return answer;
  };
  service.clock.advance({ days: 1 });
  const answers = await whileLocked(
    () => Array.from({ length: 1010 }, ask),
    async () => {
      await expect.poll(() => answered, { timeout: 20_000 }).toBe(8);
    },
  );
  const refused = answers.filter(({ status }) => status !== 200);
  expect(refused).toHaveLength(8);
  for (const { status, body, headers } of refused) {
    expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'server.busy', '1']);
  }
}, 60_000);

const busy = { code: 'server.busy', options: { headers: { 'retry-after': '1' } } };

/** Work that ends when it is told to. */
function started(turns: ReturnType<typeof createWalletTurns>, wallet: string) {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { done: turns.take(wallet, () => promise), end: resolve };
}

test('all wallets together have a bound, which they share with the spends that wait', async () => {
  const turns = createWalletTurns({ atOnceMax: 1, waitingPerWalletMax: 2, waitingMax: 3 });
  const works = ['a', 'a', 'a', 'b', 'b'].map((wallet) => started(turns, wallet));
  expect(turns.waiting()).toBe(3);
  await expect(turns.take('a', async () => {})).rejects.toMatchObject(busy);
  await expect(turns.take('b', async () => {})).rejects.toMatchObject(busy);
  await turns.take('c', async () => {});
  for (const { end } of works) end();
  await Promise.all(works.map(({ done }) => done));
  turns.countWith(() => 3);
  const first = started(turns, 'a');
  await expect(turns.take('a', async () => {})).rejects.toMatchObject(busy);
  first.end();
});

test('who has waited longest goes next, and what fails hands its place on', async () => {
  const turns = createWalletTurns({ atOnceMax: 1, waitingPerWalletMax: 10, waitingMax: 10 });
  const order: number[] = [];
  const works = [1, 2, 3].map((number) =>
    turns.take('a', async () => {
      order.push(number);
      if (number === 2) throw new Error('no');
    }),
  );
  const results = await Promise.allSettled(works);
  expect(order).toEqual([1, 2, 3]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

test('drain waits for all that has been submitted', async () => {
  const turns = createWalletTurns();
  const [one, other] = [started(turns, 'a'), started(turns, 'b')];
  let isDrained = false;
  const drained = turns.drain().then(() => (isDrained = true));
  one.end();
  await one.done;
  expect(isDrained).toBe(false);
  other.end();
  await drained;
  await turns.drain();
});

test('transfers in opposite directions do not wait for each other in a circle', async () => {
  const turns = createWalletTurns({ atOnceMax: 1, waitingPerWalletMax: 100, waitingMax: 100 });
  let done = 0;
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      turns.takeBoth(index % 2 ? ['a', 'b'] : ['b', 'a'], async () => {
        done += 1;
      }),
    ),
  );
  expect(done).toBe(20);
});
