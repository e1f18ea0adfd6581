import { expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { addEndpoint, loopbackEnv, type TestEndpoint } from '../../../../test/harness/webhooks.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';
import { createBoss } from '../../../jobs/boss.ts';
import { claimDeliveries } from './claim-deliveries.ts';

const ping = async (endpoint: TestEndpoint) => {
  const { status, body } = await endpoint.send('POST', `/endpoints/${endpoint.id}/test`);
  expect(status).toBe(202);
  return body.delivery;
};

test('what was committed is delivered by another process when the first one is gone', async () => {
  const first = await startTestService({ env: loopbackEnv });
  const endpoint = await addEndpoint(first, { eventTypes: ['credits.exhausted'] });
  const spent = await first.send('POST', '/api/v1/credits/use', {
    token: endpoint.ada.token,
    body: { amount: 150, appId: 'chat', description: 'All of it' },
  });
  expect(spent.status).toBe(200);
  await first.stop();
  expect(endpoint.receiver.received).toEqual([]);
  await startTestService({ env: loopbackEnv, shareDatabaseWith: first, runsJobs: true });
  await expect.poll(() => endpoint.receiver.received.length, { timeout: 10_000 }).toBe(1);
  expect(JSON.parse(endpoint.receiver.received[0]!.body)).toMatchObject({ type: 'credits.exhausted' });
});

test('a process that dies with the job in hand leaves it to another', async () => {
  const service = await startTestService({ env: loopbackEnv });
  const owner = await connectAsOwner(service);
  const endpoint = await addEndpoint(service);
  await ping(endpoint);
  const taken = await owner.query(
    `update pgboss.job set state = 'active', started_on = now() - interval '1 hour'
      where name = 'serve-endpoint'`,
  );
  expect(taken.rowCount).toBe(1);
  await service.ctx.jobs.runDue();
  expect(endpoint.receiver.received).toEqual([]);
  await createBoss(service.ctx.db, service.ctx.log).supervise();
  await service.ctx.jobs.runDue({ ignoreDelay: true });
  expect(endpoint.receiver.received).toHaveLength(1);
});

test('a process that dies before it could write the answer down sends again, under the same id', async () => {
  const service = await startTestService({ env: loopbackEnv });
  const owner = await connectAsOwner(service);
  const endpoint = await addEndpoint(service);
  const delivery = await ping(endpoint);
  await endpoint.deliver();
  // As it was before: sent, and nothing written down.
  await owner.query(
    `update webhooks.deliveries
        set status = 'pending', attempt_count = 0, completed_at = null, next_attempt_at = $2 where id = $1`,
    [delivery.id, service.clock.now()],
  );
  const events = await endpoint.deliver();
  expect(events.map(({ id }) => id)).toEqual([delivery.eventId, delivery.eventId]);
});

test('a job that comes twice delivers once', async () => {
  const service = await startTestService({ env: loopbackEnv });
  const owner = await connectAsOwner(service);
  const endpoint = await addEndpoint(service);
  const delivery = await ping(endpoint);
  await endpoint.deliver();
  const job = JSON.stringify({ endpointId: delivery.endpointId });
  await owner.query(`select obol.enqueue_job('serve-endpoint', $1)`, [job]);
  expect(await endpoint.deliver()).toHaveLength(1);
});

test('what a dead process had claimed is due again a minute after its attempt would have ended', async () => {
  const service = await startTestService({ env: { ...loopbackEnv, WEBHOOK_TIMEOUT: '15s' } });
  const owner = await connectAsOwner(service);
  const endpoint = await addEndpoint(service);
  await ping(endpoint);
  await claimDeliveries(service.ctx, endpoint.id, 5);
  await owner.query(`delete from pgboss.job where name = 'serve-endpoint'`);
  service.clock.advance({ seconds: 74 });
  expect(await endpoint.deliver()).toEqual([]);
  service.clock.advance({ seconds: 1 });
  expect(await endpoint.deliver()).toHaveLength(1);
});

test('two processes never take the same delivery', async () => {
  const service = await startTestService({ env: loopbackEnv });
  const endpoint = await addEndpoint(service);
  for (let count = 0; count < 10; count++) await ping(endpoint);
  const claims = await Promise.all(
    Array.from({ length: 5 }, () => claimDeliveries(service.ctx, endpoint.id, 4)),
  );
  const ids = claims.flat().map(({ delivery }) => delivery.id);
  expect(new Set(ids).size).toBe(ids.length);
  const rest = await claimDeliveries(service.ctx, endpoint.id, 10);
  expect(ids.length + rest.length).toBe(10);
});
