import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { takeIn } from '../harness/imports.ts';
import { startTestService, type TestService } from '../harness/index.ts';
import { logIn, registerPerson, signIn } from '../harness/people.ts';

// Leaving: what one service exports, another takes in.

const program = join(import.meta.dirname, '../../src/cli/main.ts');
const [here, there] = [await startTestService({ env: { CREDITS_SCALE: '2' } }), await startTestService()];
const directory = await mkdtemp(join(tmpdir(), 'obol-export-'));
afterAll(() => rm(directory, { recursive: true, force: true }));

function exportFrom(service: TestService, target: string) {
  const env = {
    PATH: process.env.PATH,
    CREDITS_SCALE: '2',
    DATABASE_URL: service.ownerUrl,
    OBOL_SECRET: service.ctx.config.secret,
    ...service.backendEnv,
  };
  return promisify(execFile)(process.execPath, [program, 'export', target, '--json'], {
    cwd: directory,
    env,
  });
}

test('people take their accounts, passwords and credits along', async () => {
  const [ada, ben] = [await registerPerson(here), await registerPerson(here)];
  const { accessToken: token } = await signIn(here, ada);
  const spend = { amount: 29, appId: 'chat', description: 'Chat' };
  expect((await here.send('POST', '/api/v1/credits/use', { token, body: spend })).status).toBe(200);
  await here.send('PUT', '/api/v1/users/me', { token, body: { name: 'Ada', username: 'ada' } });
  const { accessToken: gone } = await signIn(here, ben);
  const body = { currentPassword: ben.password };
  expect((await here.send('DELETE', '/api/v1/users/me?erase=true', { token: gone, body })).status).toBe(200);

  const target = join(directory, 'away');
  const { stdout } = await exportFrom(here, target);
  expect(JSON.parse(stdout)).toEqual({ rows: { users: 1, transactions: 3 } });
  for (const name of ['users.jsonl', 'transactions.jsonl']) {
    expect((await stat(join(target, name))).mode & 0o777).toBe(0o600);
  }
  const transactions = (await readFile(join(target, 'transactions.jsonl'), 'utf8')).trim().split('\n');
  const types = transactions.map((line): string => JSON.parse(line).type);
  expect(types.filter((type) => type === 'usage')).toHaveLength(1);

  const users = await readFile(join(target, 'users.jsonl'), 'utf8');
  expect(JSON.parse(users)).toMatchObject({ id: ada.id, freeCredits: '149.71', credits: '0.00' });
  expect(await takeIn(there, users)).toMatchObject({ created: 1, skipped: 0, notes: [] });
  const { status, body: signedIn } = await logIn(there, ada);
  expect(status).toBe(200);
  const before = (await here.send('GET', '/api/v1/users/me', { token })).body;
  expect(signedIn.user).toEqual({ ...before, credits: 149, updatedAt: expect.any(String) });
});

test('nothing is written over', async () => {
  const target = join(directory, 'twice');
  await exportFrom(here, target);
  await expect(exportFrom(here, target)).rejects.toMatchObject({
    code: 1,
    stdout: expect.stringContaining('is there already'),
  });
});
