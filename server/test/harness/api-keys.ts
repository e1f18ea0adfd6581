import { expect } from 'vitest';
import type { Answer, TestService } from './index.ts';

export const ownKeys = '/api/v1/users/api-keys';

/** A key that a person made through the API, or an administrator for an application. */
export type TestKey = { id: string; key: string };

/** Makes a key with the token of a person; for an application when its id is given. */
export async function makeKey(
  service: TestService,
  token: string,
  given: Record<string, unknown> = {},
  applicationId?: string,
): Promise<TestKey> {
  const path = applicationId === undefined ? ownKeys : `/api/v1/applications/${applicationId}/api-keys`;
  const answer = await service.send('POST', path, { token, body: { name: 'Nightly import', ...given } });
  expect(answer).toMatchObject({ status: 201 });
  return { id: answer.body.id, key: answer.body.key };
}

/** Asks what a key is: as whoever holds it, or as an application by its headers. */
export function verifyKey(
  service: Pick<TestService, 'send'>,
  key: string,
  { charge, headers }: { charge?: Record<string, unknown>; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return service.send('POST', '/api/v1/api-keys/verify', {
    headers: headers ?? { 'x-api-key': key },
    body: { key, ...(charge ? { charge } : {}) },
  });
}
