import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { startTestService, type TestService } from '../../../../test/harness/index.ts';
import { startStandIn } from '../../../../test/harness/stand-in-provider.ts';
import { confirmAddress } from '../../../../test/harness/upstream.ts';

// The signup bonus of people whom another issuer identifies, see docs/decisions/signup-bonus.md.

const tenant = await startStandIn();
const audience = 'https://api.example.com';
const env = { TRUST_PROXY: 'loopback', AUTH0_DOMAIN: tenant.issuer, AUTH0_AUDIENCE: audience };
const tight = await startTestService({ env: { ...env, SIGNUP_BONUS_PER_ADDRESS: '1' } });
const strict = await startTestService({ env: { ...env, SIGNUP_BONUS_PER_ADDRESS: '0' } });

/** A first request with a token of the other issuer, and those after it. */
async function arrive(service: TestService, address: string, isVerified = true) {
  const now = Math.floor(service.clock.now().getTime() / 1000);
  const email = `${randomUUID()}@example.com`;
  const identity = { iss: tenant.issuer, sub: `auth0|${randomUUID()}`, email, email_verified: isVerified };
  const token = await tenant.sign({ ...identity, aud: audience, iat: now, exp: now + 3600, azp: 'a client' });
  const headers = { 'x-forwarded-for': address };
  const me = async () => (await service.send('GET', '/api/users/me', { token, headers })).body;
  return { email, me, credits: (await me()).credits as number };
}

test('counts for the share of their network address', async () => {
  const address = '203.0.113.1';
  expect((await arrive(tight, address)).credits).toBe(150);
  const registration = { email: `${randomUUID()}@example.com`, password: 'correct horse lantern' };
  const headers = { 'x-forwarded-for': address };
  const later = await tight.send('POST', '/api/v1/auth/register', { headers, body: registration });
  expect(later.body.credits).toBe(0);
});

test('waits for the confirmation of an address that the issuer has not confirmed', async () => {
  const { email, me, credits } = await arrive(tight, '203.0.113.2', false);
  expect(credits).toBe(0);
  await confirmAddress(tight, { email, password: '', id: '' });
  await tight.ctx.jobs.runDue();
  expect((await me()).credits).toBe(150);
});

test.each([
  ['when the share is used up', tight],
  ['where every bonus waits', strict],
])('is there at once for a confirmed address, also %s', async (_, service) => {
  expect((await arrive(service, '203.0.113.3')).credits).toBe(150);
  expect((await arrive(service, '203.0.113.3')).credits).toBe(150);
});
