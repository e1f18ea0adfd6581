import { expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { startRawReceiver } from '../../../../test/harness/receiver.ts';
import { addEndpoint, loopbackEnv } from '../../../../test/harness/webhooks.ts';

const service = await startTestService({ env: { ...loopbackEnv, WEBHOOK_TIMEOUT: '1s' } });

const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';
const cutOff = 'The connection was cut off';

test.each([
  ['asks for another protocol', switching, 'stays', 'The answer asks for another protocol'],
  ['asks for another protocol and ends', switching, 'ends', 'The answer asks for another protocol'],
  ['ends the connection without an answer', '', 'ends', cutOff],
  ['ends in the middle of its answer', 'HTTP/1.1 200 OK\r\nContent-Le', 'ends', cutOff],
  ['stops in the middle of its answer', 'HTTP/1.1 200 OK\r\nContent-Le', 'stays', 'No answer within 1 s'],
  ['never comes to its answer', 'HTTP/1.1 103 Early Hints\r\n\r\n', 'stays', 'No answer within 1 s'],
] as const)('an endpoint that %s has failed, and its place is free again', async (_, bytes, then, error) => {
  const odd = await addEndpoint(service, { url: await startRawReceiver(bytes, then) });
  const { body } = await odd.send('POST', `/endpoints/${odd.id}/test`);
  await service.ctx.jobs.runDue();
  const { delivery } = (await odd.send('GET', `/deliveries/${body.delivery.id}`)).body;
  expect(delivery).toMatchObject({
    status: 'pending',
    attemptCount: 1,
    attempts: [{ statusCode: null, error }],
  });

  const other = await addEndpoint(service);
  await other.send('POST', `/endpoints/${other.id}/test`);
  expect(await other.deliver()).toHaveLength(1);
});

test('endpoints that ask for another protocol, as many as there are places, hold up nobody', async () => {
  const url = await startRawReceiver(switching, 'stays');
  for (let count = 0; count < 24; count++) {
    const odd = await addEndpoint(service, { url });
    await odd.send('POST', `/endpoints/${odd.id}/test`);
  }
  const other = await addEndpoint(service);
  await other.send('POST', `/endpoints/${other.id}/test`);
  expect(await other.deliver()).toHaveLength(1);
});
