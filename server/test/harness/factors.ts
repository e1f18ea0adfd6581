import { generateSync } from 'otplib';
import { expect } from 'vitest';
import type { Answer, TestService } from './index.ts';
import { logIn, registerPerson, signIn, type Person } from './people.ts';

/** A person with an app that makes codes, as their phone holds it. */
export type FactorHolder = Person & { secret: string; backupCodes: string[]; accessToken: string };

/** The code that an app shows now, or some steps of thirty seconds away. */
export function codeOf(service: TestService, secret: string, stepsAway = 0): string {
  const epoch = Math.floor(service.clock.now().getTime() / 1000) + 30 * stepsAway;
  return generateSync({ secret, epoch });
}

/** Registers a person who has switched codes from an app on. Moves the clock to the next step. */
export async function registerWithTotp(service: TestService): Promise<FactorHolder> {
  const person = await registerPerson(service);
  const { accessToken } = await signIn(service, person);
  const setUp = await service.send('POST', '/api/v1/auth/2fa/setup', { token: accessToken });
  expect(setUp.status).toBe(200);
  const { secret } = setUp.body;
  const enabled = await service.send('POST', '/api/v1/auth/2fa/enable', {
    token: accessToken,
    body: { code: codeOf(service, secret) },
  });
  expect(enabled.status).toBe(200);
  service.clock.advance({ seconds: 30 });
  return { ...person, secret, backupCodes: enabled.body.backupCodes, accessToken };
}

/** The first step of a sign-in. */
export async function challengeOf(service: TestService, person: Person): Promise<string> {
  const { status, body } = await logIn(service, person);
  expect([status, body.twoFactorRequired]).toEqual([200, true]);
  return body.challengeToken;
}

/** The second step, with whatever code. */
export function verifyCode(
  service: TestService,
  challengeToken: string,
  code: string,
  more: Record<string, unknown> = {},
): Promise<Answer> {
  return service.send('POST', '/api/v1/auth/2fa/verify', { body: { challengeToken, code, ...more } });
}

/** Both steps. */
export async function signInWithTotp(service: TestService, holder: FactorHolder): Promise<Answer['body']> {
  const challenge = await challengeOf(service, holder);
  const { status, body } = await verifyCode(service, challenge, codeOf(service, holder.secret));
  expect(status).toBe(200);
  service.clock.advance({ seconds: 30 });
  return body;
}
