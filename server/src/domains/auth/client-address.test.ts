import { expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { registerPerson } from '../../../test/harness/people.ts';

/** The address that the list of devices shows for a sign-in with this X-Forwarded-For. */
async function addressSeen(trustProxy: string, forwardedFor: string): Promise<string> {
  const service = await startTestService({ env: { TRUST_PROXY: trustProxy } });
  const { body } = await service.send('POST', '/api/v1/auth/login', {
    body: await registerPerson(service),
    headers: { 'x-forwarded-for': forwardedFor },
  });
  const { body: current } = await service.send('GET', '/api/v1/auth/session', { token: body.accessToken });
  return current.session.ipAddress;
}

test.each([
  ['nobody is trusted', '', '203.0.113.7', '127.0.0.1'],
  ['only another proxy is trusted', '10.0.0.0/8', '203.0.113.7', '127.0.0.1'],
  ['the proxy is trusted', '127.0.0.1', '203.0.113.7', '203.0.113.7'],
  [
    'what the client itself put in front does not count',
    '127.0.0.1',
    '198.51.100.1, 203.0.113.7',
    '203.0.113.7',
  ],
  [
    'a chain of trusted proxies is followed',
    '127.0.0.0/8,10.0.0.0/8',
    '203.0.113.7, 10.1.2.3',
    '203.0.113.7',
  ],
  ['IPv4 in the notation of IPv6 is IPv4', '127.0.0.1', '::ffff:203.0.113.7', '203.0.113.7'],
])('X-Forwarded-For: %s', async (_, trustProxy, forwardedFor, expected) => {
  expect(await addressSeen(trustProxy, forwardedFor)).toBe(expected);
});
