import { expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { addWalletHolder } from '../../../test/harness/wallets.ts';

const service = await startTestService();

test('whoever registers an application becomes its administrator and sees its secret once', async () => {
  const ada = await addWalletHolder(service);
  const { status, body } = await service.send('POST', '/api/v1/applications', {
    token: ada.token,
    body: { name: 'Notes', redirectUri: 'https://notes.example.com/callback', roles: ['editor'] },
  });
  expect(status).toBe(201);
  expect(body.application).toMatchObject({ name: 'Notes', role: 'admin', roles: ['editor', 'admin'] });
  expect(await service.ctx.applications.verify(body.application)).toMatchObject({
    applicationId: body.application.id,
  });
});
