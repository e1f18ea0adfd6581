import { expect, test } from 'vitest';
import { startTestService } from '../../../../test/harness/index.ts';
import { expectSound } from '../../../../test/harness/movements.ts';
import { createRefundingProvider, openRefundDesk } from '../../../../test/harness/refunds.ts';
import { addWalletHolder } from '../../../../test/harness/wallets.ts';

const provider = createRefundingProvider();
const service = await startTestService({
  env: { CREDITS_DAILY_FREE: '0', CREDITS_SIGNUP_BONUS: '0' },
  paymentProviders: [provider],
});
const desk = await openRefundDesk(service, provider);
const { owner, admin } = desk;

const textsOf = async (id: string) =>
  (
    await owner.query(
      'select reason, decision, idempotency_key, request_hash from payments.refund_requests where id = $1',
      [id],
    )
  ).rows[0];
const exported = async (person: { token: string }): Promise<string> => {
  const headers = { authorization: `Bearer ${person.token}` };
  const answer = await fetch(`${service.url}/api/v1/users/me/export`, { headers });
  expect(answer.status).toBe(200);
  return answer.text();
};

test('what was written about a refund is exported with its buyer, and forgotten with them', async () => {
  await desk.reset();
  const { holder } = desk;
  const { id: purchaseId } = await desk.buy();
  const asked = await desk.ask(purchaseId, {
    reason: 'I was ill that week',
    idempotencyKey: 'key of the buyer',
  });
  await desk.send(admin, 'POST', `refunds/${asked.body.id}/deny`, { reason: 'You used it that week' });
  const own = await exported(holder);
  expect(own).toContain('payments.refundRequests');
  expect(own).toContain('I was ill that week');
  expect(own).toContain('You used it that week');
  expect(own).not.toContain('requestHash');

  await desk.reset();
  const other = await desk.buy();
  const kept = await desk.ask(other.id, { reason: 'Of somebody else' });
  expect(await exported(desk.holder)).not.toContain('I was ill that week');

  const erase = { token: holder.token, body: {} };
  expect((await service.send('DELETE', '/api/v1/users/me?erase=true', erase)).status).toBe(200);
  expect(await textsOf(asked.body.id)).toEqual({
    reason: 'Erased',
    decision: null,
    idempotency_key: null,
    request_hash: null,
  });
  expect(await textsOf(kept.body.id)).toMatchObject({ reason: 'Of somebody else' });
  await expectSound(service);
});

test('an administrator who is erased leaves the refunds that they made, without their words', async () => {
  await desk.reset();
  const second = await addWalletHolder(service);
  await owner.query(`update auth.users set role = 'admin' where id = $1`, [second.userId]);
  const { id } = await desk.buy();
  const made = await desk.send(second, 'POST', `purchases/${id}/refunds`, {
    amountCents: 100,
    reason: 'Told me about it at lunch',
  });
  expect(made.status).toBe(201);
  const asked = await desk.ask(id, { amountCents: 200, reason: 'Too much' });
  await desk.send(second, 'POST', `refunds/${asked.body.id}/deny`, { reason: 'Not after lunch' });
  expect(await exported(second)).toContain('Told me about it at lunch');
  const erase = { token: second.token, body: {} };
  expect((await service.send('DELETE', '/api/v1/users/me?erase=true', erase)).status).toBe(200);
  expect(await textsOf(made.body.id)).toMatchObject({ reason: 'Erased' });
  expect(await textsOf(asked.body.id)).toMatchObject({ reason: 'Too much', decision: null });
  expect(await desk.purchase(id)).toMatchObject({ refundedCents: 100 });
});
