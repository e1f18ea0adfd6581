import { once } from 'node:events';
import { connect, createServer, Socket, type AddressInfo } from 'node:net';
import { setImmediate as endOfTurn } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, expect, onTestFinished, test, vi } from 'vitest';
import { startTestService } from '../../test/harness/index.ts';
import { addWalletHolder, connectAsOwner } from '../../test/harness/wallets.ts';
import { createMetrics } from '../metrics/index.ts';
import { createDatabase } from './index.ts';
import { openPool } from './pool.ts';

const statementMs = 700;
const service = await startTestService({ statementMs });
const owner = await connectAsOwner(service);
const holder = await addWalletHolder(service);
const get = (path: string) => service.send('GET', `/api/v1/${path}`, { token: holder.token });

/** What of this service the server works on. */
async function statementsAtWork(): Promise<string[]> {
  const { rows } = await owner.query<{ query: string }>(
    `select query from pg_stat_activity
      where datname = current_database() and state = 'active' and pid <> pg_backend_pid()`,
  );
  return rows.map(({ query }) => query);
}

test('a statement that takes too long is answered 503, and neither the service nor the server goes on with it', async () => {
  await owner.query('begin; lock table auth.sessions in access exclusive mode');
  const answer = await get('auth/me');
  expect(answer).toMatchObject({ status: 503, body: { code: 'server.unavailable' } });
  expect(answer.headers.get('retry-after')).toBe('1');
  await expect.poll(statementsAtWork).toEqual([]);
  await owner.query('commit');
  expect((await get('auth/me')).status).toBe(200);
});

test('a spend that was given up is done once, when it is asked for again', async () => {
  const body = { amount: 7, appId: 'chat', description: 'Chat', idempotencyKey: 'given-up' };
  const spend = () => service.send('POST', '/api/v1/credits/use', { token: holder.token, body });
  const { available } = (await get('credits/balance')).body;
  await owner.query('begin; select from credits.balances for update');
  expect(await spend()).toMatchObject({ status: 503, body: { code: 'server.unavailable' } });
  await owner.query('commit');
  const [first, second] = [await spend(), await spend()];
  expect(first.status).toBe(200);
  expect(second.body).toEqual(first.body);
  expect((await get('credits/balance')).body).toMatchObject({ available: available - 7 });
});

test('what goes through whole tables takes as long as it takes', async () => {
  const { db } = service.ctx;
  const text = 'select pg_sleep($1)';
  const values = [(2 * statementMs) / 1000];
  const outcomes = await Promise.allSettled([
    db.call(text, values),
    db.unhurried.call(text, values),
    db.runAsService(text, values),
    db.unhurried.runAsService(text, values),
  ]);
  const refusal = { status: 'rejected', reason: { code: 'server.unavailable' } };
  expect(outcomes).toMatchObject([refusal, { status: 'fulfilled' }, refusal, { status: 'fulfilled' }]);
});

/** What stands between the service and its database, and loses what is on its way once it is told to. */
async function startFlakyNetwork(databaseUrl: string) {
  const { hostname, port } = new URL(databaseUrl);
  const sockets: Socket[] = [];
  const server = createServer((client) => {
    const database = connect(Number(port), hostname);
    for (const socket of [client, database]) sockets.push(socket.on('error', () => {}));
    client.pipe(database).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const url = new URL(databaseUrl);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    loseAll: () => {
      for (const socket of sockets) socket.unpipe().pause();
    },
  };
}

test('a connection on which nothing comes any more is given up, and the next one asked', async () => {
  const keepAlive = vi.spyOn(Socket.prototype, 'setKeepAlive');
  onTestFinished(() => keepAlive.mockRestore());
  const { url, loseAll } = await startFlakyNetwork(service.appUrl);
  const parts = { log: pino({ level: 'silent' }), metrics: createMetrics() };
  const pool = await openPool({ url, connectionsMax: 1, ...parts });
  const db = createDatabase(pool, service.clock, statementMs);
  const read = () => db.asService((tx) => tx.execute('select 1 as one'));
  await read();
  expect(keepAlive).toHaveBeenCalledWith(true, 10_000);
  loseAll();
  await expect(read()).rejects.toMatchObject({ code: 'server.unavailable' });
  expect((await read()).rows).toEqual([{ one: 1 }]);
  loseAll();
  const lost = expect(db.call('select 1', [])).rejects.toMatchObject({ code: 'server.unavailable' });
  await endOfTurn();
  await db.close();
  await lost;
});
