import { expect, test } from 'vitest';
import { ask, makePlan, startBilledService, subscribe } from '../../../../test/harness/plans.ts';

const { service, billing, admin } = await startBilledService('2027-04-01T00:00:00.000Z');
await makePlan(service, admin, 'small');

test('an account is not erased while it would go on being charged; once cancelled it is', async () => {
  const one = await subscribe(service, billing, 'small');
  const erase = () => service.send('DELETE', '/api/v1/users/me?erase=true', { token: one.token, body: {} });
  expect(await erase()).toMatchObject({
    status: 409,
    body: {
      code: 'users.erasure_blocked',
      teams: [],
      applications: [],
      subscriptions: [{ id: one.subscriptionId, planId: 'small' }],
      checkouts: [],
    },
  });
  expect((await ask(service, one, 'DELETE')).status).toBe(200);
  expect(await erase()).toMatchObject({ status: 200, body: { success: true } });
});
