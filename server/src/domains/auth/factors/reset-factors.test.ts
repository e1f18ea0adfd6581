import { expect, test } from 'vitest';
import { registerWithTotp, signInWithTotp } from '../../../../test/harness/factors.ts';
import { startTestService } from '../../../../test/harness/index.ts';
import { logIn } from '../../../../test/harness/people.ts';
import { connectAsOwner } from '../../../../test/harness/wallets.ts';
import { resetFactorsByOperator } from './reset-factors-by-operator.ts';

const service = await startTestService();

test('an operator removes lost factors: sessions end, the address is told, the audit trail knows why', async () => {
  const holder = await registerWithTotp(service);
  const { accessToken } = await signInWithTotp(service, holder);
  await resetFactorsByOperator(service.ctx, { email: holder.email, reason: 'Showed a passport.' });
  expect((await service.send('GET', '/api/v1/auth/me', { token: accessToken })).status).toBe(401);
  expect((await logIn(service, holder)).body.accessToken).toBeDefined();
  const subjects = (await service.mails(holder.email)).map(({ subject }) => subject);
  expect(subjects).toContain('Your Obol second factors were removed');
  const owner = await connectAsOwner(service);
  const { rows } = await owner.query(
    `select action, reason from audit.events where target_id = $1 and action = 'user.factors_reset'`,
    [holder.id],
  );
  expect(rows).toEqual([{ action: 'user.factors_reset', reason: 'Showed a passport.' }]);
});

test('nobody has an unknown address', async () => {
  const reset = resetFactorsByOperator(service.ctx, { email: 'nobody@example.com', reason: 'None.' });
  await expect(reset).rejects.toMatchObject({ code: 'users.unknown_email' });
});
