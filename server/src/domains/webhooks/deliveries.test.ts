import { expect, test } from 'vitest';
import { addMember } from '../../../test/harness/applications.ts';
import { startTestService } from '../../../test/harness/index.ts';
import { answer } from '../../../test/harness/receiver.ts';
import { addEndpoint, loopbackEnv, type TestEndpoint } from '../../../test/harness/webhooks.ts';
import { connectAsOwner } from '../../../test/harness/wallets.ts';

const service = await startTestService({ env: loopbackEnv });
const { clock } = service;
const owner = await connectAsOwner(service);

async function ping(endpoint: TestEndpoint) {
  const { status, body } = await endpoint.send('POST', `/endpoints/${endpoint.id}/test`);
  expect(status).toBe(202);
  return body.delivery;
}

test('an event is sent again on request, under the same id', async () => {
  const endpoint = await addEndpoint(service);
  const delivery = await ping(endpoint);
  await endpoint.deliver();
  for (let again = 0; again < 2; again++) {
    const { status, body } = await endpoint.send('POST', `/deliveries/${delivery.id}/replay`);
    expect(status).toBe(202);
    expect(body.delivery).toMatchObject({ eventId: delivery.eventId, isReplay: true, status: 'pending' });
  }
  const events = await endpoint.deliver();
  expect(events).toHaveLength(3);
  expect(new Set(events.map(({ id }) => id))).toEqual(new Set([delivery.eventId]));
  expect(new Set(events.map(({ body }) => body)).size).toBe(1);
});

test('the log is read in pages, by status and by type', async () => {
  const endpoint = await addEndpoint(service);
  for (let count = 0; count < 4; count++) {
    clock.advance({ seconds: 1 });
    endpoint.receiver.reply = answer(count === 2 ? 500 : 204);
    await ping(endpoint);
    await service.ctx.jobs.runDue();
  }
  await addMember(service, endpoint.app.id);
  const list = async (query: string) => {
    const { status, body } = await endpoint.send('GET', `/endpoints/${endpoint.id}/deliveries?${query}`);
    expect(status).toBe(200);
    return body;
  };
  const all = await list('');
  expect(all.nextCursor).toBeNull();
  expect(all.deliveries.map(({ eventType }: any) => eventType).toSorted()).toEqual([
    'member.added',
    ...Array<string>(4).fill('webhook.ping'),
  ]);
  const first = await list('limit=2');
  const second = await list(`limit=2&cursor=${first.nextCursor}`);
  const third = await list(`limit=2&cursor=${second.nextCursor}`);
  expect([...first.deliveries, ...second.deliveries, ...third.deliveries]).toEqual(all.deliveries);
  expect(third.nextCursor).toBeNull();
  expect((await list('status=pending&eventType=webhook.ping')).deliveries).toMatchObject([
    { attemptCount: 1, nextAttemptAt: expect.any(String) },
  ]);
  expect((await list('status=succeeded')).deliveries).toHaveLength(3);
  expect((await list('eventType=member.added')).deliveries).toHaveLength(1);
});

test('the log is kept for 30 days, and what still waits longer than that', async () => {
  const endpoint = await addEndpoint(service);
  const done = await ping(endpoint);
  await service.ctx.jobs.runDue();
  endpoint.receiver.reply = answer(500);
  const waiting = await ping(endpoint);
  await service.ctx.jobs.runDue();
  endpoint.receiver.reply = answer(204);
  const read = async (id: string) => (await endpoint.send('GET', `/deliveries/${id}`)).status;
  clock.advance({ days: 30 });
  await ping(endpoint);
  await service.ctx.jobs.runDue();
  expect([await read(done.id), await read(waiting.id)]).toEqual([200, 200]);
  clock.advance({ ms: 1 });
  await ping(endpoint);
  await service.ctx.jobs.runDue();
  expect([await read(done.id), await read(waiting.id)]).toEqual([404, 200]);
  const { rows } = await owner.query('select from webhooks.events where id = $1', [done.eventId]);
  expect(rows).toEqual([]);
});

test('an event that no endpoint is left for is forgotten after as long', async () => {
  const [deleted, kept] = [await addEndpoint(service), await addEndpoint(service)];
  const gone = [await ping(deleted), await ping(deleted)];
  await service.ctx.jobs.runDue();
  const waiting = await ping(kept);
  expect((await deleted.send('DELETE', `/endpoints/${deleted.id}`)).status).toBe(200);
  const left = async () => {
    await service.ctx.db.asService((tx) => service.ctx.jobs.enqueue(tx, 'forget-old-data', {}));
    await service.ctx.jobs.runDue();
    const ids = [...gone, waiting].map(({ eventId }) => eventId);
    const { rows } = await owner.query('select id from webhooks.events where id = any ($1)', [ids]);
    return rows.length;
  };
  kept.receiver.reply = answer(500);
  clock.advance({ days: 30 });
  expect(await left()).toBe(3);
  clock.advance({ ms: 1 });
  expect(await left()).toBe(1);
});
