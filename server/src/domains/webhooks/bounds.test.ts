import { expect, test } from 'vitest';
import { addMember } from '../../../test/harness/applications.ts';
import { startTestService } from '../../../test/harness/index.ts';
import { answer } from '../../../test/harness/receiver.ts';
import { addEndpoint, loopbackEnv, type TestEndpoint } from '../../../test/harness/webhooks.ts';
import { connectAsOwner } from '../../../test/harness/wallets.ts';

const service = await startTestService({ env: loopbackEnv });
const owner = await connectAsOwner(service);

/** Fills the queue of an endpoint but for `room` deliveries, which are not due for a while. */
async function fill({ id }: TestEndpoint, room: number): Promise<void> {
  const later = new Date(service.clock.now().getTime() + 3_600_000);
  await owner.query(
    `with made as (
       insert into webhooks.events (id, type, data, happened_at)
         select gen_random_uuid(), 'webhook.ping', '{}', $2 from generate_series(1, $3::integer) returning id)
     insert into webhooks.deliveries (id, endpoint_id, event_id, created_at, next_attempt_at)
       select gen_random_uuid(), $1, m.id, $2, $4 from made m`,
    [id, service.clock.now(), 1000 - room, later],
  );
}

const added = async (endpoint: TestEndpoint, status: string) =>
  (await endpoint.send('GET', `/endpoints/${endpoint.id}/deliveries?eventType=member.added&status=${status}`))
    .body.deliveries;

test('a thousand deliveries wait for an endpoint and no more; the log says so, once a minute', async () => {
  const endpoint = await addEndpoint(service);
  await fill(endpoint, 1);
  for (let count = 0; count < 3; count++) await addMember(service, endpoint.app.id);
  expect(await added(endpoint, 'pending')).toHaveLength(1);
  const [noted, ...others] = await added(endpoint, 'failed');
  expect(others).toEqual([]);
  const { body } = await endpoint.send('GET', `/deliveries/${noted.id}`);
  expect(body.delivery).toMatchObject({ attemptCount: 0, attempts: [{ statusCode: null }] });
  expect(body.delivery.attempts[0].error).toMatch(/^Not sent.*1000 events wait/);
  service.clock.advance({ seconds: 61 });
  await addMember(service, endpoint.app.id);
  expect(await added(endpoint, 'failed')).toHaveLength(2);
  const { rows } = await owner.query(
    `select count(*)::integer as n from webhooks.events e
      where not exists (select from webhooks.deliveries d where d.event_id = e.id)`,
  );
  expect(rows).toEqual([{ n: 0 }]);
});

test('nothing is sent again or tried out where a thousand wait; what is dropped can be sent again later', async () => {
  const endpoint = await addEndpoint(service);
  await fill(endpoint, 0);
  await addMember(service, endpoint.app.id);
  const [noted] = await added(endpoint, 'failed');
  for (const path of [`/endpoints/${endpoint.id}/test`, `/deliveries/${noted.id}/replay`]) {
    const refused = await endpoint.send('POST', path);
    expect(refused).toMatchObject({ status: 409, body: { code: 'webhooks.too_many_pending' } });
  }
  service.clock.advance({ hours: 1 });
  endpoint.receiver.reply = answer(204);
  await endpoint.deliver();
  expect(endpoint.receiver.received).toHaveLength(1000);
  expect((await endpoint.send('POST', `/deliveries/${noted.id}/replay`)).status).toBe(202);
  expect(await endpoint.deliver()).toHaveLength(1001);
}, 60_000);

test('an event goes to a hundred endpoints at most, those that have been there longest', async () => {
  const endpoint = await addEndpoint(service);
  await owner.query(
    `insert into webhooks.endpoints (id, application_id, url, low_balance, created_at, updated_at)
       select gen_random_uuid(), $1, 'https://victim.example.com/hook', 20, $2, $2 from generate_series(1, 150)`,
    [endpoint.app.id, new Date(service.clock.now().getTime() + 1000)],
  );
  await addMember(service, endpoint.app.id);
  const { rows } = await owner.query(
    `select count(*)::integer as n, bool_or(d.endpoint_id = $1) as has_first
       from webhooks.deliveries d join webhooks.endpoints e on e.id = d.endpoint_id where e.application_id = $2`,
    [endpoint.id, endpoint.app.id],
  );
  expect(rows).toEqual([{ n: 100, has_first: true }]);
});
