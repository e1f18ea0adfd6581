import { expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { addEndpoint, loopbackEnv } from '../../../test/harness/webhooks.ts';
import { connectAsOwner } from '../../../test/harness/wallets.ts';

const service = await startTestService({ env: loopbackEnv });
const owner = await connectAsOwner(service);
const rounds = 40;

/** Endpoints of one application, one after the other, each with a delivery. */
async function* addInTurn() {
  const endpoint = await addEndpoint(service);
  const given = { applicationId: endpoint.app.id, url: endpoint.receiver.url };
  const send = (method: string, path: string, body?: unknown) => endpoint.send(method, path, body);
  for (let round = 0; round < rounds; round++) {
    const { body } = await send('POST', '/endpoints', given);
    const path = `/endpoints/${body.endpoint.id}`;
    const { delivery } = (await send('POST', `${path}/test`)).body;
    yield { path, delivery, send };
    await send('DELETE', path);
  }
}

test('an endpoint that is deleted meanwhile is not found, whatever is asked of it', async () => {
  for await (const { path, delivery, send } of addInTurn()) {
    const answers = await Promise.all([
      send('PATCH', path, { description: 'Changed' }),
      send('POST', `${path}/rotate-secret`, {}),
      send('DELETE', path),
      send('POST', `${path}/test`),
      send('POST', `/deliveries/${delivery.id}/replay`),
      send('GET', `/deliveries/${delivery.id}`),
      send('DELETE', path),
    ]);
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => ![200, 202, 404].includes(status))).toEqual([]);
    expect(new Set([statuses[2], statuses[6]])).toEqual(new Set([200, 404]));
  }
});

test('a delivery that is removed meanwhile is sent again or not found, and what is sent again stays', async () => {
  for await (const { delivery, send } of addInTurn()) {
    await owner.query(
      `update webhooks.deliveries set status = 'failed', next_attempt_at = null, completed_at = '2000-01-01'
        where id = $1`,
      [delivery.id],
    );
    const forget = () =>
      service.ctx.db.call('select obol.forget_old($1, $2, $3)', ['webhook_deliveries', '2000-01-02', 1000]);
    const [{ status, body }] = await Promise.all([
      send('POST', `/deliveries/${delivery.id}/replay`),
      forget(),
      forget(),
    ]);
    expect([202, 404]).toContain(status);
    if (status === 404) continue;
    const { rows } = await owner.query('select from webhooks.deliveries where id = $1', [body.delivery.id]);
    expect(rows).toHaveLength(1);
  }
});
