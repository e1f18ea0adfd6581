import { expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { answer, type Reply } from '../../../../test/harness/receiver.ts';
import { addEndpoint, loopbackEnv, verify, type TestEndpoint } from '../../../../test/harness/webhooks.ts';

const service = await startTestService({ env: { ...loopbackEnv, WEBHOOK_TIMEOUT: '1s' } });
const { ctx, clock } = service;

async function ping(endpoint: TestEndpoint): Promise<string> {
  const { status, body } = await endpoint.send('POST', `/endpoints/${endpoint.id}/test`);
  expect(status).toBe(202);
  return body.delivery.id;
}

const read = async (endpoint: TestEndpoint, id: string) =>
  (await endpoint.send('GET', `/deliveries/${id}`)).body.delivery;

/** An endpoint of its own, one event, one attempt. */
async function attemptWith(reply: Reply) {
  const endpoint = await addEndpoint(service);
  endpoint.receiver.reply = reply;
  const id = await ping(endpoint);
  await ctx.jobs.runDue();
  return { endpoint, id, delivery: await read(endpoint, id) };
}

const firstWaitMs = { least: 5000, most: 6000 };

function expectRetry(delivery: any): void {
  expect(delivery).toMatchObject({ status: 'pending', attemptCount: 1, completedAt: null });
  const wait = new Date(delivery.nextAttemptAt).getTime() - clock.now().getTime();
  expect(wait).toBeGreaterThanOrEqual(firstWaitMs.least);
  expect(wait).toBeLessThanOrEqual(firstWaitMs.most);
}

test('an event arrives signed as the Standard Webhooks say', async () => {
  const { endpoint, delivery } = await attemptWith(answer(200, 'thanks'));
  const [received] = endpoint.receiver.received;
  expect(received!.headers).toMatchObject({
    'content-type': 'application/json',
    'webhook-id': delivery.eventId,
    'webhook-timestamp': String(clock.now().getTime() / 1000),
  });
  expect(verify(received!, endpoint.secret, clock.now())).toEqual({
    type: 'webhook.ping',
    timestamp: clock.now().toISOString(),
    data: { endpointId: endpoint.id },
  });
  expect(delivery).toMatchObject({
    status: 'succeeded',
    attemptCount: 1,
    nextAttemptAt: null,
    completedAt: clock.now().toISOString(),
    attempts: [{ statusCode: 200, error: null, responseExcerpt: 'thanks' }],
  });
});

test('an altered body, id or time does not pass', async () => {
  const { endpoint } = await attemptWith(answer(204));
  const [received] = endpoint.receiver.received;
  const alter =
    (headers: Record<string, string>, body = received!.body) =>
    () =>
      verify(
        { ...received!, body, headers: { ...received!.headers, ...headers } },
        endpoint.secret,
        clock.now(),
      );
  expect(alter({})).not.toThrow();
  expect(alter({}, received!.body.replace('ping', 'pong'))).toThrow('No matching signature');
  expect(alter({ 'webhook-id': 'another' })).toThrow('No matching signature');
  const later = String(Number(received!.headers['webhook-timestamp']) + 1);
  expect(alter({ 'webhook-timestamp': later })).toThrow('No matching signature');
});

test.each([
  ['an error', answer(500, 'out of order'), { statusCode: 500, error: 'The endpoint answered 500' }],
  ['a page that is not there', answer(404), { statusCode: 404, error: 'The endpoint answered 404' }],
  [
    'a cut connection',
    (response) => response.destroy(),
    { statusCode: null, error: 'The connection was cut off' },
  ],
  ['silence', () => {}, { statusCode: null, error: 'No answer within 1 s' }],
  [
    'endless headers',
    answer(200, '', { 'x-long': 'a'.repeat(40_000) }),
    { statusCode: null, error: 'The answer has too large headers' },
  ],
] as [string, Reply, object][])('%s counts as failed and is tried again', async (_, reply, attempt) => {
  const { endpoint, delivery } = await attemptWith(reply);
  expectRetry(delivery);
  expect(delivery.attempts).toMatchObject([attempt]);
  expect(endpoint.receiver.received).toHaveLength(1);
});

test('a redirect is not followed, wherever it leads', async () => {
  const target = await addEndpoint(service);
  const { delivery } = await attemptWith(answer(302, '', { location: target.receiver.url }));
  expectRetry(delivery);
  expect(delivery.attempts).toMatchObject([{ statusCode: 302, error: 'The endpoint answered 302' }]);
  expect(target.receiver.received).toEqual([]);
});

test('of a huge answer only the beginning is read, and kept as text', async () => {
  let written = 0;
  const { delivery } = await attemptWith((response) => {
    response.writeHead(200);
    response.write('a\0b');
    const more = () => {
      while (!response.destroyed && written < 1e9) {
        written += 65_536;
        if (!response.write(Buffer.alloc(65_536, 'x'))) return response.once('drain', more);
      }
      return response;
    };
    more();
  });
  expect(delivery).toMatchObject({ status: 'succeeded', attempts: [{ statusCode: 200 }] });
  expect(delivery.attempts[0].responseExcerpt).toMatch(/^abx+$/);
  expect(delivery.attempts[0].responseExcerpt.length).toBeLessThanOrEqual(1024);
  expect(written).toBeLessThan(50_000_000);
});

test('what was accepted stays accepted, even if the rest of the answer never comes', async () => {
  const { delivery } = await attemptWith((response) => response.writeHead(202).write('wait'));
  expect(delivery).toMatchObject({ status: 'succeeded', attempts: [{ statusCode: 202, error: null }] });
});

test('a failed event comes again with the same id and body, and a time of its own', async () => {
  const { endpoint, id } = await attemptWith(answer(503));
  endpoint.receiver.reply = answer(204);
  clock.advance({ seconds: 10 });
  await endpoint.deliver();
  const [first, second] = endpoint.receiver.received;
  expect(second!.headers['webhook-id']).toBe(first!.headers['webhook-id']);
  expect(second!.body).toBe(first!.body);
  expect(Number(second!.headers['webhook-timestamp'])).toBe(Number(first!.headers['webhook-timestamp']) + 10);
  verify(second!, endpoint.secret, clock.now());
  expect(await read(endpoint, id)).toMatchObject({
    status: 'succeeded',
    attemptCount: 2,
    attempts: [{ statusCode: 503 }, { statusCode: 204 }],
  });
});

test('no attempt is made before its time', async () => {
  const { endpoint } = await attemptWith(answer(500));
  await ctx.jobs.runDue();
  expect(endpoint.receiver.received).toHaveLength(1);
});

test('who asks for patience gets it, up to a day', async () => {
  for (const [header, seconds] of [
    ['3600', 3600],
    ['9999999', 86_400],
  ] as const) {
    const { delivery } = await attemptWith(answer(429, '', { 'retry-after': header }));
    const wait = new Date(delivery.nextAttemptAt).getTime() - clock.now().getTime();
    expect(wait).toBe(seconds * 1000);
  }
});

test('an endpoint that fails for three days is given up and switched off; its administrators are told', async () => {
  const { endpoint, id } = await attemptWith(answer(500));
  const startedAt = clock.now().getTime();
  const email = `${endpoint.ada.userId}@example.com`;
  for (let attempt = 2; attempt <= 10; attempt++) {
    const { status, nextAttemptAt } = await read(endpoint, id);
    expect(status).toBe('pending');
    clock.set(nextAttemptAt);
    await endpoint.deliver();
  }
  expect(clock.now().getTime() - startedAt).toBeGreaterThanOrEqual(3 * 86_400_000);
  expect(clock.now().getTime() - startedAt).toBeLessThan(4 * 86_400_000);
  const given = await read(endpoint, id);
  expect(given).toMatchObject({ status: 'failed', attemptCount: 10, nextAttemptAt: null });
  const { body } = await endpoint.send('GET', `/endpoints/${endpoint.id}`);
  expect(body.endpoint).toMatchObject({ isEnabled: false, disabledReason: 'failing' });
  const [mail] = await service.mails(email);
  expect(mail!.subject).toBe('Obol no longer sends events of Notes');
  expect(mail!.text).toContain(endpoint.receiver.url);
  await endpoint.deliver();
  expect(endpoint.receiver.received).toHaveLength(10);
});

test('an endpoint at which something else arrived meanwhile stays on', async () => {
  const { endpoint, id } = await attemptWith(answer(500));
  for (let attempt = 2; attempt <= 10; attempt++) {
    endpoint.receiver.reply = answer(500);
    clock.set((await read(endpoint, id)).nextAttemptAt);
    await endpoint.deliver();
    if (attempt !== 5) continue;
    endpoint.receiver.reply = answer(204);
    await ping(endpoint);
    await ctx.jobs.runDue();
  }
  expect(await read(endpoint, id)).toMatchObject({ status: 'failed', attemptCount: 10 });
  const { body } = await endpoint.send('GET', `/endpoints/${endpoint.id}`);
  expect(body.endpoint).toMatchObject({ isEnabled: true, disabledReason: null });
});

test('an endpoint that says it is gone is switched off at once, and what waits for it is given up', async () => {
  const { endpoint, id } = await attemptWith(answer(500));
  endpoint.receiver.reply = answer(410);
  const second = await ping(endpoint);
  await ctx.jobs.runDue();
  expect(await read(endpoint, second)).toMatchObject({ status: 'failed', attemptCount: 1 });
  const { body } = await endpoint.send('GET', `/endpoints/${endpoint.id}`);
  expect(body.endpoint).toMatchObject({ isEnabled: false, disabledReason: 'gone' });
  await endpoint.deliver();
  expect(await read(endpoint, id)).toMatchObject({ status: 'failed', attemptCount: 1 });
  expect(endpoint.receiver.received).toHaveLength(2);

  const patched = await endpoint.send('PATCH', `/endpoints/${endpoint.id}`, { isEnabled: true });
  expect(patched.body.endpoint).toMatchObject({ isEnabled: true, disabledReason: null, firstFailedAt: null });
  endpoint.receiver.reply = answer(204);
  expect((await endpoint.send('POST', `/deliveries/${id}/replay`)).status).toBe(202);
  await ctx.jobs.runDue();
  expect(endpoint.receiver.received).toHaveLength(3);
});
