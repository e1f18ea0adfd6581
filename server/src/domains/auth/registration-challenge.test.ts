import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError, loadConfig } from '../../config.ts';
import { leadingZeroBits } from '../../lib/proof-of-work.ts';
import { startTestService, type TestService } from '../../../test/harness/index.ts';

const env = { REGISTRATION_CHALLENGE: 'pow', REGISTRATION_CHALLENGE_BITS: '8' };
const service = await startTestService({ env });
const open = await startTestService();

const ask = async (at: TestService = service) =>
  (await at.send('GET', '/api/v1/auth/challenge')).body as {
    required: boolean;
    challenge: string;
    difficultyBits: number;
    expiresAt: string;
  };

/** The first number that solves it, as an example for those who write clients. */
function solved(challenge: string, bits: number): string {
  for (let number = 0; ; number++) {
    const proof = `${challenge}.${number}`;
    if (leadingZeroBits(proof) >= bits) return proof;
  }
}

async function solve(at: TestService = service): Promise<string> {
  const { challenge, difficultyBits } = await ask(at);
  return solved(challenge, difficultyBits);
}

const forged = (terms: string[]) => solved(terms.join('.'), 8);

const register = (proof: unknown, more: Record<string, unknown> = {}, at = service) =>
  at.send('POST', '/api/v1/auth/register', {
    body: { email: `${randomUUID()}@example.com`, password: 'correct horse lantern', proof, ...more },
  });

const invalid = { status: 400, body: { code: 'auth.work_invalid' } };

test('a solved challenge registers, and says until when it counts', async () => {
  const challenge = await ask();
  expect(challenge).toMatchObject({ required: true, algorithm: 'sha256', difficultyBits: 8 });
  expect(challenge.expiresAt).toBe('2026-03-01T12:30:00.000Z');
  const answer = await register(await solve());
  expect(answer).toMatchObject({ status: 201, body: { credits: 150 } });
});

test('the solver of the guide finds what the service takes', async () => {
  const guide = await readFile(join(import.meta.dirname, '../../../../docs/guides/protection.md'), 'utf8');
  const source = /```js\n([\s\S]*?)\n```/.exec(guide)?.[1] ?? '';
  const { solve: solveAsInGuide } = (await import(
    /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(source)}`
  )) as { solve: (given: unknown) => string };
  expect((await register(solveAsInGuide(await ask()))).status).toBe(201);
});

test('without one, a registration is refused and says where to get it', async () => {
  for (const proof of [undefined, '']) {
    const answer = await register(proof);
    expect(answer).toMatchObject({ status: 400, body: { code: 'auth.work_required' } });
    expect(answer.body.detail).toContain('/api/v1/auth/challenge');
  }
});

test('a solution counts once, also of ten at once', async () => {
  const proof = await solve();
  const answers = await Promise.all(Array.from({ length: 10 }, () => register(proof)));
  expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([
    201,
    ...Array<number>(9).fill(400),
  ]);
  expect(await register(proof)).toMatchObject(invalid);
});

test('another number that solves it does not make it count again', async () => {
  const { challenge } = await ask();
  const solutions: string[] = [];
  for (let number = 0; solutions.length < 2; number++) {
    if (leadingZeroBits(`${challenge}.${number}`) >= 8) solutions.push(`${challenge}.${number}`);
  }
  expect((await register(solutions[0])).status).toBe(201);
  expect(await register(solutions[1])).toMatchObject(invalid);
});

test('a solution is spent by a registration that is refused for its address', async () => {
  const email = `${randomUUID()}@example.com`;
  expect((await register(await solve(), { email })).status).toBe(201);
  const proof = await solve();
  expect(await register(proof, { email })).toMatchObject({
    status: 409,
    body: { code: 'users.email_taken' },
  });
  expect(await register(proof)).toMatchObject(invalid);
});

test('a password that is refused leaves the solution as it is', async () => {
  const proof = await solve();
  expect((await register(proof, { password: 'password123' })).body.code).toBe('auth.password_unacceptable');
  expect((await register(proof)).status).toBe(201);
});

test('an expired one is refused', async () => {
  const aging = await startTestService({ env });
  const proof = await solve(aging);
  aging.clock.advance({ minutes: 30 });
  expect(await register(proof, {}, aging)).toMatchObject(invalid);
  expect((await register(await solve(aging), {}, aging)).status).toBe(201);
});

test('what is unsolved, made easier, prolonged, invented or another service’s is refused', async () => {
  const { challenge } = await ask();
  const [expires = '', bits = '', nonce = '', signature = ''] = challenge.split('.');
  let unsolved = 0;
  while (leadingZeroBits(`${challenge}.${unsolved}`) >= 8) unsolved++;
  const foreign = await startTestService({
    env: { ...env, OBOL_SECRET: 'another secret of thirty-two characters' },
  });
  const proofs = [
    `${challenge}.${unsolved}`,
    forged([expires, '1', nonce, signature]),
    forged([String(Number(expires) + 3600), bits, nonce, signature]),
    forged([expires, bits, 'A'.repeat(22), signature]),
    forged([expires, bits, nonce, 'A'.repeat(43)]),
    await solve(foreign),
    challenge,
    'x',
    `${challenge}.-1`,
    `${challenge}.${'9'.repeat(30)}`,
    '....',
  ];
  for (const proof of proofs) expect(await register(proof), proof).toMatchObject(invalid);
});

test.each([[7], [null], [{}], ['x'.repeat(201)]])('a proof that is %j is malformed', async (proof) => {
  expect(await register(proof)).toMatchObject({ status: 400, body: { code: 'request.invalid' } });
});

test('switched off, as it is unless said otherwise, nothing is asked and nothing given is looked at', async () => {
  const answer = await open.send('GET', '/api/v1/auth/challenge');
  expect(answer.body).toEqual({
    required: false,
    algorithm: 'sha256',
    challenge: null,
    difficultyBits: null,
    expiresAt: null,
  });
  expect((await register(undefined, {}, open)).status).toBe(201);
  expect((await register('whatever', {}, open)).status).toBe(201);
});

test('a difficulty that nobody can solve, or none, is no setting', () => {
  for (const bits of ['0', '31', 'x']) {
    const load = () => loadConfig({ ...env, REGISTRATION_CHALLENGE_BITS: bits });
    expect(load).toThrow(ConfigError);
    expect(load).toThrow('REGISTRATION_CHALLENGE_BITS');
  }
});
