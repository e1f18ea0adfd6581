import { expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { addWalletHolder, connectAsOwner, type WalletHolder } from '../../../test/harness/wallets.ts';

const service = await startTestService({ env: { APPLICATIONS_PER_USER_MAX: '2' } });
const closed = await startTestService({
  env: { APPLICATION_CREATION: 'admins' },
  shareDatabaseWith: service,
});
const owner = await connectAsOwner(service);

const base = '/api/v1/applications';
const register = ({ token }: WalletHolder, at = service) =>
  at.send('POST', base, { token, body: { name: 'Notes', redirectUris: [] } });

async function addOperator(): Promise<WalletHolder> {
  const holder = await addWalletHolder(service);
  await owner.query(`update auth.users set role = 'admin' where id = $1`, [holder.userId]);
  return holder;
}

test('a person registers as many applications as one may, and one more for each deleted', async () => {
  const ada = await addWalletHolder(service);
  const [first] = [await register(ada), await register(ada)];
  const refused = await register(ada);
  expect(refused).toMatchObject({ status: 409, body: { code: 'applications.too_many', max: 2 } });
  await service.send('DELETE', `${base}/${first?.body.application.id}`, { token: ada.token });
  expect((await register(ada)).status).toBe(201);
  expect((await register(await addWalletHolder(service))).status).toBe(201);
});

test('who registers many at once gets no more', async () => {
  const ada = await addWalletHolder(service);
  const answers = await Promise.all(Array.from({ length: 8 }, () => register(ada)));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(2);
  expect(answers.filter(({ body }) => body.code === 'applications.too_many')).toHaveLength(6);
});

test('administrators of the service have no limit', async () => {
  const operator = await addOperator();
  for (let number = 0; number < 3; number++) expect((await register(operator)).status).toBe(201);
});

test('where registration is for administrators, nobody else registers anything', async () => {
  const refused = await register(await addWalletHolder(service), closed);
  expect([refused.status, refused.body.code]).toEqual([403, 'applications.creation_restricted']);
  expect((await register(await addOperator(), closed)).status).toBe(201);
});
