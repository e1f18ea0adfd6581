import { afterEach, expect, test } from 'vitest';
import { makeKey, ownKeys } from '../../../../test/harness/api-keys.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { untilSoManyWait } from '../../../../test/harness/locks.ts';
import { expectSound } from '../../../../test/harness/movements.ts';
import { registerPerson, signIn } from '../../../../test/harness/people.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';

const service = await startTestService();
const owner = await connectAsOwner(service);
afterEach(() => expectSound(service));

/** A person whose sign-in is too old to raise anything, with a key of 100 credits a week. */
async function keyOfStaleSession() {
  const person = await registerPerson(service);
  const { refreshToken } = await signIn(service, person);
  const budget = { allowance: 100, period: 'week' };
  const { id } = await makeKey(service, (await signIn(service, person)).accessToken, { budget });
  service.clock.advance({ seconds: 1801 });
  const { body: kept } = await service.send('POST', '/api/v1/auth/refresh', { body: { refreshToken } });
  const token: string = kept.accessToken;
  const { body: mandates } = await service.send('GET', '/api/v1/credits/mandates', { token });
  return { id, token, mandateId: mandates[0].id as string };
}

// It is asked for what the budget is, which raises nothing, and comes to it once that has been lowered.
test.each(['as the budget of the key', 'as the mandate'])(
  'what was no raise when it was asked for is one when the budget was lowered meanwhile: %s',
  async (route) => {
    const { id, token, mandateId } = await keyOfStaleSession();
    await owner.query('begin');
    await owner.query('update credits.mandates set allowance = 50 where id = $1', [mandateId]);
    const [path, body] =
      route === 'as the mandate'
        ? [`/api/v1/credits/mandates/${mandateId}`, { allowance: 100 }]
        : [`${ownKeys}/${id}`, { budget: { allowance: 100 } }];
    const answer = service.send('PATCH', path, { token, body });
    await untilSoManyWait(owner, 1);
    await owner.query('commit');
    expect(await answer).toMatchObject({ status: 403, body: { code: 'auth.step_up_required' } });
    const { body: now } = await service.send('GET', `/api/v1/credits/mandates/${mandateId}`, { token });
    expect(now).toMatchObject({ allowance: 50 });
  },
);
