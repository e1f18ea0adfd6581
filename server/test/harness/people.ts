import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Answer, TestService } from './index.ts';

export type Person = { email: string; password: string; id: string };

/** Registers a person with an address of their own, through the API. */
export async function registerPerson(
  service: TestService,
  { email = `${randomUUID()}@example.com`, password = 'correct horse lantern' } = {},
): Promise<Person> {
  const { status, body } = await service.send('POST', '/api/v1/auth/register', { body: { email, password } });
  expect(status).toBe(201);
  return { email, password, id: body.id };
}

/** Tries to sign in; by default with the right password. */
export function logIn(service: TestService, person: Person, password = person.password): Promise<Answer> {
  return service.send('POST', '/api/v1/auth/login', { body: { email: person.email, password } });
}

export type SignedIn = { accessToken: string; refreshToken: string };

/** Signs in on one more device. */
export async function signIn(service: TestService, person: Person): Promise<SignedIn> {
  const { status, body } = await logIn(service, person);
  expect(status).toBe(200);
  return body;
}
