import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { deliver } from '../../../../test/harness/billing.ts';
import { makePlan, startBilledService, subscribe } from '../../../../test/harness/plans.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';
import type { DisputeFact } from '../fact.ts';

// What a case about the bill of a plan, and a reversal of it, do to the plan.

const { service, billing, admin } = await startBilledService('2027-04-01T00:00:00.000Z');
await makePlan(service, admin, 'small');
const owner = await connectAsOwner(service);

const subscribeAndHear = async () => {
  const one = await subscribe(service, billing, 'small');
  const paymentId = billing.billed.at(-1)?.invoices.at(-1)?.paymentId ?? '';
  const hear = async (what: 'case' | 'reversal', status: DisputeFact['status'], day: number) => {
    const fact: DisputeFact = {
      kind: 'dispute',
      disputeId: what === 'case' ? `PP-D-${paymentId}` : `reversal:${paymentId}`,
      paymentId,
      status,
      amountCents: 1000,
      currency: 'EUR',
      asOf: `2027-04-0${day}T10:00:00.000Z`,
    };
    const event = { id: randomUUID(), type: 'x', createdAt: service.clock.now(), isLive: false };
    expect((await deliver(service, { ...event, payload: {}, facts: [fact] })).status).toBe(200);
    return standing();
  };
  const standing = async () => {
    const { body } = await service.send('GET', '/api/v1/auth/me', { token: one.token });
    const { rows } = await owner.query('select payments.lost_period_of($1) is not null as lost', [
      one.subscriptionId,
    ]);
    return [body.subscriptionTier, rows[0].lost];
  };
  return { standing, hear };
};

test('a plan whose case was won is there again, though its payment had been taken back', async () => {
  const { standing, hear } = await subscribeAndHear();
  expect(await standing()).toEqual(['small', false]);
  expect(await hear('reversal', 'lost', 1)).toEqual(['free', true]);
  // As long as the case may be won, nothing is lost for good.
  expect(await hear('case', 'open', 2)).toEqual(['free', false]);
  expect(await hear('case', 'won', 3)).toEqual(['small', false]);
  expect(await hear('case', 'open', 4)).toEqual(['free', false]);
  expect(await hear('case', 'lost', 5)).toEqual(['free', true]);
});

test('a plan whose payment is taken back after the case was withdrawn is lost', async () => {
  const { hear } = await subscribeAndHear();
  expect(await hear('case', 'open', 1)).toEqual(['free', false]);
  expect(await hear('case', 'won', 2)).toEqual(['small', false]);
  expect(await hear('reversal', 'lost', 3)).toEqual(['free', true]);
});
