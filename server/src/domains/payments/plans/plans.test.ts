import { expect, test } from 'vitest';
import { makePlan, plansPath, startBilledService, subscribe, ask } from '../../../../test/harness/plans.ts';
import { addWalletHolder } from '../../../../test/harness/wallets.ts';

const { service, billing, admin } = await startBilledService('2027-03-01T00:00:00.000Z');
const holder = await addWalletHolder(service);
const send = (method: string, path: string, body?: unknown, by = admin) =>
  service.send(method, `${plansPath}${path}`, { token: by.token, ...(body === undefined ? {} : { body }) });
const terms = { name: 'Plus', priceCents: 999, currency: 'EUR', interval: 'month', credits: 1000 };

test('anybody lists what can be subscribed to, in its order', async () => {
  await makePlan(service, admin, 'second', { position: 2 });
  await makePlan(service, admin, 'first', { position: 1, rollover: 'capped', rolloverCap: 5 });
  await makePlan(service, admin, 'off', { position: 3 });
  expect((await send('DELETE', '/off')).body).toMatchObject({ id: 'off', active: false });
  const { status, body } = await service.send('GET', plansPath);
  expect(status).toBe(200);
  expect(body.map(({ id }: { id: string }) => id)).toEqual(['first', 'second']);
  expect(body[0]).toMatchObject({
    rollover: 'capped',
    rolloverCap: 5,
    taxBehavior: 'inclusive',
    graceDays: 7,
  });
  expect((await ask(service, holder, 'POST', { planId: 'off' })).status).toBe(404);
  expect((await send('PATCH', '/off', { active: true })).body).toMatchObject({ active: true, version: 1 });
});

test('other terms are a new version; whoever has subscribed keeps theirs', async () => {
  await makePlan(service, admin, 'kept');
  const one = await subscribe(service, billing, 'kept');
  const { body } = await send('PATCH', '/kept', { priceCents: 1500, credits: 2000, name: 'Kept' });
  expect(body).toMatchObject({ version: 2, priceCents: 1500, credits: 2000, name: 'Kept' });
  expect((await send('PATCH', '/kept', { name: 'Kept' })).body).toMatchObject({ version: 2 });
  expect((await ask(service, one, 'GET')).body).toMatchObject({ plan: { version: 1, priceCents: 1000 } });
  const all = (await send('GET', '/versions')).body;
  const kept = all.find(({ id }: { id: string }) => id === 'kept');
  expect(kept).toMatchObject({ subscribers: 1, versions: [{ version: 2 }, { version: 1, credits: 1000 }] });
  expect((await ask(service, one, 'POST', { planId: 'kept' })).body.code).toBe('payments.subscribed_already');
});

test('a plan is refused that cannot be', async () => {
  await makePlan(service, admin, 'taken');
  for (const id of ['taken', 'free']) {
    expect((await send('POST', '', { id, ...terms })).body.code).toBe('payments.plan_taken');
  }
  const wrong: Record<string, unknown>[] = [
    { id: 'UPPER' },
    { priceCents: 0 },
    { priceCents: 9.5 },
    { priceCents: '5' },
    { currency: 'eur' },
    { interval: 'week' },
    { credits: 0 },
    { credits: 2 ** 53 },
    { rollover: 'some' },
    { rollover: 'capped' },
    { rolloverCap: 5 },
    { graceDays: -1 },
    { name: '' },
  ];
  for (const more of wrong) {
    expect(await send('POST', '', { id: 'wrong', ...terms, ...more })).toMatchObject({
      status: 400,
      body: { code: 'request.invalid' },
    });
  }
  expect((await send('PATCH', '/taken', { rolloverCap: 5 })).status).toBe(400);
  expect((await send('PATCH', '/taken', {})).status).toBe(400);
  expect((await send('PATCH', '/nothing', { name: 'x' })).status).toBe(404);
});

test('plans are for administrators to make, change, switch off and see in full', async () => {
  await makePlan(service, admin, 'mine');
  const tries = [
    send('POST', '', { id: 'theirs', ...terms }, holder),
    send('PATCH', '/mine', { priceCents: 1 }, holder),
    send('DELETE', '/mine', undefined, holder),
    send('GET', '/versions', undefined, holder),
  ];
  for (const answer of await Promise.all(tries)) {
    expect(answer).toMatchObject({ status: 403, body: { code: 'auth.admin_required' } });
  }
});

test('a checkout that waits is answered again; for another plan it is closed first', async () => {
  await makePlan(service, admin, 'one');
  await makePlan(service, admin, 'two');
  const person = await addWalletHolder(service);
  expect((await ask(service, person, 'GET')).body.code).toBe('payments.no_subscription');
  const answers = await Promise.all([1, 2, 3].map(() => ask(service, person, 'POST', { planId: 'one' })));
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
  const [first] = answers.map(({ body }) => body.subscriptionId);
  expect(new Set(answers.map(({ body }) => body.subscriptionId)).size).toBe(1);
  expect((await ask(service, person, 'GET')).body).toMatchObject({ status: 'opening', plan: { id: 'one' } });
  const { body } = await ask(service, person, 'POST', { planId: 'two' });
  expect(billing.calls).toContain(`expire cs_${first}`);
  expect(body.subscriptionId).not.toBe(first);
  billing.keepsCheckoutsOpen = true;
  expect((await ask(service, person, 'POST', { planId: 'one' })).body.code).toBe(
    'payments.subscribed_already',
  );
  billing.keepsCheckoutsOpen = false;
  expect((await ask(service, person, 'DELETE')).body).toMatchObject({ status: 'ended' });
  expect((await ask(service, person, 'GET')).body.code).toBe('payments.no_subscription');
  for (const wrong of [{}, { planId: 7 }, { planId: 'one', provider: 'cash' }]) {
    expect((await ask(service, person, 'POST', wrong)).status).toBe(400);
  }
  expect((await ask(service, person, 'POST', { planId: 'one', provider: 'paypal' })).body.code).toBe(
    'payments.provider_not_set_up',
  );
});
