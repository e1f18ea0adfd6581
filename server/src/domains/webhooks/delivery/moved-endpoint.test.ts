import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { answer, startReceiver } from '../../../../test/harness/receiver.ts';
import { addEndpoint, loopbackEnv, type TestEndpoint } from '../../../../test/harness/webhooks.ts';

const service = await startTestService({ env: loopbackEnv });
const { ctx, clock } = service;

async function ping(endpoint: TestEndpoint): Promise<string> {
  return (await endpoint.send('POST', `/endpoints/${endpoint.id}/test`)).body.delivery.id;
}

const readDelivery = async (endpoint: TestEndpoint, id: string) =>
  (await endpoint.send('GET', `/deliveries/${id}`)).body.delivery;
const readEndpoint = async (endpoint: TestEndpoint) =>
  (await endpoint.send('GET', `/endpoints/${endpoint.id}`)).body.endpoint;

async function moveTo(endpoint: TestEndpoint, url: string): Promise<void> {
  const { body } = await endpoint.send('PATCH', `/endpoints/${endpoint.id}`, { url });
  expect(body.endpoint).toMatchObject({ url, firstFailedAt: null });
}

async function attemptWhenDue(endpoint: TestEndpoint, id: string): Promise<void> {
  clock.set((await readDelivery(endpoint, id)).nextAttemptAt);
  await endpoint.deliver();
}

test.each([410, 500])(
  'an answer %i that comes from an address when the endpoint has left it says nothing about the new one',
  async (status) => {
    const [endpoint, next] = [await addEndpoint(service), await startReceiver()];
    const { promise: held, resolve: hold } = Promise.withResolvers<ServerResponse>();
    endpoint.receiver.reply = hold;
    const id = await ping(endpoint);
    const attempt = ctx.jobs.runDue();
    const response = await held;
    await moveTo(endpoint, next.url);
    response.writeHead(status).end();
    await attempt;
    expect(await readEndpoint(endpoint)).toMatchObject({ isEnabled: true, firstFailedAt: null });
    await attemptWhenDue(endpoint, id);
    expect(await readDelivery(endpoint, id)).toMatchObject({
      status: 'succeeded',
      attempts: [{ statusCode: status }, { statusCode: 204 }],
    });
    expect(next.received).toHaveLength(1);
  },
);

test('an endpoint that has moved is not switched off for what its old address owes', async () => {
  const [endpoint, next] = [await addEndpoint(service), await startReceiver()];
  for (const receiver of [endpoint.receiver, next]) receiver.reply = answer(500);
  const id = await ping(endpoint);
  await ctx.jobs.runDue();
  for (let attempt = 2; attempt <= 9; attempt++) await attemptWhenDue(endpoint, id);
  await moveTo(endpoint, next.url);
  await attemptWhenDue(endpoint, id);
  expect(await readDelivery(endpoint, id)).toMatchObject({ status: 'failed', attemptCount: 10 });
  expect(next.received).toHaveLength(1);
  expect(await readEndpoint(endpoint)).toMatchObject({
    isEnabled: true,
    firstFailedAt: clock.now().toISOString(),
  });
});
