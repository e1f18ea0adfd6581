import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { startTestService, type TestService } from '../../../../test/harness/index.ts';
import { answer, type Receiver } from '../../../../test/harness/receiver.ts';
import { addEndpoint, loopbackEnv, type TestEndpoint } from '../../../../test/harness/webhooks.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';

const env = { ...loopbackEnv, WEBHOOK_TIMEOUT: '120s' };
const service = await startTestService({ env });
const owner = await connectAsOwner(service);

async function ping(endpoint: TestEndpoint, count: number): Promise<void> {
  const pings = Array.from({ length: count }, () => endpoint.send('POST', `/endpoints/${endpoint.id}/test`));
  for (const { status } of await Promise.all(pings)) expect(status).toBe(202);
}

/** Lets receivers keep every request without an answer, until `release`. */
function hang(receivers: Receiver[]) {
  const held: ServerResponse[] = [];
  for (const receiver of receivers) receiver.reply = (response) => held.push(response);
  return {
    release: () => {
      for (const receiver of receivers) receiver.reply = answer(204);
      for (const response of held) response.writeHead(204).end();
    },
  };
}

const count = (endpoints: TestEndpoint[]): number =>
  endpoints.reduce((sum, { receiver }) => sum + receiver.received.length, 0);

async function addEndpoints(wanted: number): Promise<TestEndpoint[]> {
  const made: TestEndpoint[] = [];
  while (made.length < wanted) made.push(await addEndpoint(service));
  return made;
}

/** More endpoints of the same application, which all send to its receiver. */
async function addNeighbours(endpoint: TestEndpoint, wanted: number): Promise<TestEndpoint[]> {
  const neighbours: TestEndpoint[] = [];
  while (neighbours.length < wanted) {
    const body = { applicationId: endpoint.app.id, url: endpoint.receiver.url };
    const { body: created } = await endpoint.send('POST', '/endpoints', body);
    neighbours.push({ ...endpoint, id: created.endpoint.id });
  }
  return neighbours;
}

const slowEndpoints = (ids: string[]) =>
  owner.query('update webhooks.endpoints set slow_attempts = 1 where id = any ($1)', [ids]);

test('endpoints that hang hold up nobody else, and have one request each', async () => {
  const [hanging, quick] = [await addEndpoints(10), await addEndpoints(10)];
  const { release } = hang(hanging.map(({ receiver }) => receiver));
  for (const endpoint of hanging) await ping(endpoint, 5);
  for (const endpoint of quick) await ping(endpoint, 3);
  const done = service.ctx.jobs.runDue();
  await expect.poll(() => count(quick), { timeout: 20_000 }).toBe(30);
  expect(hanging.map(({ receiver }) => receiver.received.length)).toEqual(Array<number>(10).fill(1));
  release();
  await done;
  expect(count(hanging)).toBe(50);
});

test('an endpoint that answers quickly gets five requests at once, after a first one', async () => {
  const endpoint = await addEndpoint(service);
  const held: ServerResponse[] = [];
  let heldMost = 0;
  const release = (): void => {
    for (const one of held.splice(0)) one.writeHead(204).end();
  };
  // A turn begins with one request, and the machine decides how many turns it takes: nobody waits for ever.
  endpoint.receiver.reply = (response) => {
    held.push(response);
    heldMost = Math.max(heldMost, held.length);
    if (held.length === 5 || endpoint.receiver.received.length === 1) release();
    else setTimeout(release, 500);
  };
  await ping(endpoint, 21);
  await service.ctx.jobs.runDue();
  expect(endpoint.receiver.received).toHaveLength(21);
  expect(heldMost).toBe(5);
});

test('the endpoints of one application have four places between them', async () => {
  const [first] = await addEndpoints(1);
  const all = [first!, ...(await addNeighbours(first!, 5))];
  const other = await addEndpoint(service);
  const { release } = hang([first!.receiver]);
  for (const endpoint of all) await ping(endpoint, 1);
  await ping(other, 1);
  const done = service.ctx.jobs.runDue();
  await expect.poll(() => first!.receiver.received.length, { timeout: 20_000 }).toBe(4);
  await expect.poll(() => other.receiver.received.length, { timeout: 20_000 }).toBe(1);
  expect(first!.receiver.received).toHaveLength(4);
  release();
  await done;
  expect(first!.receiver.received).toHaveLength(6);
});

test('endpoints that were slow have eight places between them, until they answer quickly', async () => {
  const slow = await addEndpoints(12);
  const quick = await addEndpoint(service);
  await slowEndpoints(slow.map(({ id }) => id));
  const { release } = hang(slow.map(({ receiver }) => receiver));
  for (const endpoint of slow) await ping(endpoint, 1);
  await ping(quick, 1);
  const done = service.ctx.jobs.runDue();
  await expect.poll(() => count(slow), { timeout: 20_000 }).toBe(8);
  await expect.poll(() => quick.receiver.received.length, { timeout: 20_000 }).toBe(1);
  expect(count(slow)).toBe(8);
  release();
  await done;
  expect(count(slow)).toBe(12);
  const { rows } = await owner.query('select slow_attempts from webhooks.endpoints where id = any ($1)', [
    slow.map(({ id }) => id),
  ]);
  expect(rows.map((row) => row.slow_attempts)).toEqual(Array<number>(12).fill(0));
});

test('an attempt without an answer in time is counted as slow, also when its head was a success', async () => {
  const brief = await startTestService({ env: { ...loopbackEnv, WEBHOOK_TIMEOUT: '1s' } });
  const client = await connectAsOwner(brief);
  const [silent, dripping] = [await addEndpoint(brief), await addEndpoint(brief)];
  silent.receiver.reply = () => {};
  dripping.receiver.reply = (response) => response.writeHead(200).write('wait');
  for (const endpoint of [silent, dripping]) await ping(endpoint, 1);
  await brief.ctx.jobs.runDue();
  const { rows } = await client.query('select slow_attempts from webhooks.endpoints order by created_at, id');
  expect(rows).toEqual([{ slow_attempts: 1 }, { slow_attempts: 1 }]);
});

/** Jobs that wait for an endpoint. */
async function waitingJobs({ id }: TestEndpoint): Promise<number> {
  const { rows } = await owner.query(
    `select count(*)::integer as n from pgboss.job
      where name = 'serve-endpoint' and state < 'active' and data->>'endpointId' = $1`,
    [id],
  );
  return rows[0].n;
}

test('however many deliveries wait for another attempt, one job waits with them', async () => {
  const endpoint = await addEndpoint(service);
  endpoint.receiver.reply = answer(500);
  await ping(endpoint, 12);
  await service.ctx.jobs.runDue();
  expect(endpoint.receiver.received).toHaveLength(12);
  expect(await waitingJobs(endpoint)).toBe(1);
  await endpoint.deliver();
  expect(await waitingJobs(endpoint)).toBe(1);
  endpoint.receiver.reply = answer(204);
  service.clock.advance({ seconds: 10 });
  await service.ctx.jobs.runDue({ ignoreDelay: true });
  expect(endpoint.receiver.received).toHaveLength(24);
  expect(await waitingJobs(endpoint)).toBe(0);
});

test('a service that stops ends what it has begun and leaves the rest to the next', async () => {
  const first: TestService = await startTestService({ env, shareDatabaseWith: service, runsJobs: true });
  const [endpoint] = await addEndpoints(1);
  const all = [endpoint!, ...(await addNeighbours(endpoint!, 5))];
  const { release } = hang([endpoint!.receiver]);
  for (const one of all) await ping(one, 2);
  await expect.poll(() => endpoint!.receiver.received.length, { timeout: 20_000 }).toBe(4);
  const stopped = first.stop();
  release();
  await stopped;
  expect(endpoint!.receiver.received.length).toBeLessThan(12);
  await service.ctx.jobs.runDue();
  expect(endpoint!.receiver.received).toHaveLength(12);
});
