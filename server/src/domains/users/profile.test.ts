import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { startTestService } from '../../../test/harness/index.ts';
import { registerPerson, signIn } from '../../../test/harness/people.ts';

const service = await startTestService();

async function newPerson() {
  const person = await registerPerson(service);
  const { accessToken: token } = await signIn(service, person);
  return {
    ...person,
    token,
    read: () => service.send('GET', '/api/v1/users/me', { token }),
    update: (body: unknown) => service.send('PUT', '/api/v1/users/me', { token, body }),
  };
}

test('a person reads their profile, the same as the signed-in user', async () => {
  const ada = await newPerson();
  const { status, body } = await ada.read();
  expect(status).toBe(200);
  expect(body).toMatchObject({ id: ada.id, email: ada.email, credits: 150 });
  expect(body).toEqual((await service.send('GET', '/api/v1/auth/me', { token: ada.token })).body);
});

test('what is named changes, what is absent stays, null empties', async () => {
  const ada = await newPerson();
  service.clock.advance({ minutes: 1 });
  const username = `ada.${randomUUID()}`;
  const picture = 'https://example.com/ada.png';
  const changed = await ada.update({ name: ' Ada Lovelace ', username, picture });
  expect(changed).toMatchObject({ status: 200, body: { name: 'Ada Lovelace', username, picture } });
  expect(changed.body.updatedAt).toBe(service.clock.now().toISOString());
  expect((await ada.update({ name: null })).body).toMatchObject({ name: null, username, picture });
  expect((await ada.update({})).body).toEqual((await ada.read()).body);
});

test('a username that is taken is refused whatever its case, and nothing changes', async () => {
  const [ada, ben] = [await newPerson(), await newPerson()];
  const username = `Ada-${randomUUID()}`;
  await ada.update({ username });
  const answer = await ben.update({ username: username.toLowerCase(), name: 'Ben' });
  expect(answer).toMatchObject({ status: 409, body: { code: 'users.username_taken' } });
  expect((await ben.read()).body).toMatchObject({ username: null, name: null });
  expect((await ada.update({ username: username.toLowerCase() })).status).toBe(200);
});

test.each([
  ['a script as a picture', { picture: 'javascript:alert(1)' }],
  ['a picture that closes an attribute', { picture: 'https://example.com/"onerror=alert(1)' }],
  ['a name with a line break', { name: 'a\nb' }],
  ['a name that is too long', { name: 'a'.repeat(201) }],
  ['a username with a slash', { username: 'a/b' }],
  ['a name that is a number', { name: 1 }],
])('%s is malformed', async (_, body) => {
  const ada = await newPerson();
  expect((await ada.update(body)).body.code).toBe('request.invalid');
});

test('nobody raises their own role, credits or address by it', async () => {
  const ada = await newPerson();
  const { body } = await ada.update({
    role: 'admin',
    credits: 9999,
    email: 'other@example.com',
    emailVerified: true,
    isActive: false,
    id: randomUUID(),
  });
  expect(body).toMatchObject({
    id: ada.id,
    role: 'user',
    credits: 150,
    email: ada.email,
    emailVerified: false,
  });
});

test('both calls want a token, and a living session', async () => {
  const ada = await newPerson();
  expect((await service.send('GET', '/api/v1/users/me')).body.code).toBe('auth.required');
  expect((await service.send('PUT', '/api/v1/users/me', { body: {} })).body.code).toBe('auth.required');
  await service.send('POST', '/api/v1/auth/logout', { token: ada.token });
  expect((await ada.read()).body.code).toBe('auth.session_ended');
  expect((await ada.update({ name: 'Ada' })).body.code).toBe('auth.session_ended');
});
