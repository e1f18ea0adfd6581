import { expect, test } from 'vitest';
import { startTestService, type TestService } from '../../../../test/harness/index.ts';
import { startReceiver } from '../../../../test/harness/receiver.ts';
import { addEndpoint, loopbackEnv } from '../../../../test/harness/webhooks.ts';
import { isDeliverable } from '../../../lib/is-deliverable.ts';

test.each([
  '0.0.0.0',
  '10.0.0.1',
  '100.64.0.1',
  '100.100.100.200',
  '127.0.0.1',
  '127.255.255.254',
  '168.63.129.16',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.192',
  '192.168.1.1',
  '198.18.0.1',
  '203.0.113.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '64:ff9b::a9fe:a9fe',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '2002:a9fe:a9fe::',
  '4000::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fec0::1',
  'ff02::1',
  'localhost',
  '',
])('nothing is sent to %s', (address) => {
  expect(isDeliverable(address, false)).toBe(false);
});

test.each(['1.1.1.1', '172.15.0.1', '172.32.0.1', '2606:4700::1111', '::ffff:1.1.1.1'])(
  '%s is on the public internet',
  (address) => {
    expect(isDeliverable(address, false)).toBe(true);
  },
);

test('loopback is there for those who develop, and nothing else with it', () => {
  for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) {
    expect(isDeliverable(address, true)).toBe(true);
  }
  for (const address of ['0.0.0.0', '10.0.0.1', '169.254.169.254', 'fe80::1']) {
    expect(isDeliverable(address, true)).toBe(false);
  }
});

/** One attempt at an endpoint whose address leads nowhere else than said. */
async function attemptAt(service: TestService, url: string) {
  const endpoint = await addEndpoint(service, { url });
  const { body } = await endpoint.send('POST', `/endpoints/${endpoint.id}/test`);
  await service.ctx.jobs.runDue();
  return (await endpoint.send('GET', `/deliveries/${body.delivery.id}`)).body.delivery;
}

test('a name that leads to this machine is refused, and nobody there is asked', async () => {
  const service = await startTestService();
  const receiver = await startReceiver();
  const { port } = new URL(receiver.url);
  const delivery = await attemptAt(service, `https://localhost:${port}/hook`);
  expect(delivery.attempts).toMatchObject([
    { statusCode: null, error: 'localhost is not on the public internet', responseExcerpt: null },
  ]);
  expect(receiver.received).toEqual([]);
});

test('one private address among public ones refuses them all', async () => {
  const asked: string[] = [];
  const service = await startTestService({
    resolve: async (hostname) => {
      asked.push(hostname);
      return ['1.1.1.1', '10.0.0.1'].map((address) => ({ address, family: 4 }));
    },
  });
  const delivery = await attemptAt(service, 'https://hooks.example.com/');
  expect(delivery.attempts).toMatchObject([{ error: 'hooks.example.com is not on the public internet' }]);
  expect(asked).toEqual(['hooks.example.com']);
});

test('the request goes to the address that was checked: a name is looked up once', async () => {
  const receiver = await startReceiver();
  const { port } = new URL(receiver.url);
  const answers = ['127.0.0.1', '10.0.0.1'];
  const service = await startTestService({
    env: loopbackEnv,
    resolve: async () => [{ address: answers.shift() ?? '10.0.0.1', family: 4 }],
  });
  const delivery = await attemptAt(service, `http://localhost:${port}/hook`);
  expect(delivery).toMatchObject({ status: 'succeeded' });
  expect(receiver.received).toMatchObject([{ headers: { host: `localhost:${port}` } }]);
  expect(answers).toEqual(['10.0.0.1']);
});

test('a name that is not known, or cannot be looked up, is tried again', async () => {
  const service = await startTestService({
    resolve: () => Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })),
  });
  const delivery = await attemptAt(service, 'https://hooks.example.com/');
  expect(delivery).toMatchObject({ status: 'pending', attempts: [{ error: 'The name is unknown' }] });
});

test('in production the switch for development has no effect', async () => {
  const service = await startTestService({
    env: {
      ...loopbackEnv,
      NODE_ENV: 'production',
      DATABASE_URL: 'postgres://in-use-already',
      SMTP_HOST: '127.0.0.1',
    },
  });
  await expect(addEndpoint(service, { url: 'http://127.0.0.1:4000/' })).rejects.toThrow();
  const delivery = await attemptAt(service, 'https://localhost:4000/');
  expect(delivery.attempts).toMatchObject([{ error: 'localhost is not on the public internet' }]);
});
